// What the new device will be: type, site, name, tags. All optional; the code is the only thing needed.
import { useMutation } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { client, intent, must } from '../../api/client';
import { fieldError } from '../../api/problem';
import type { ClaimCreate } from '../../api/types';
import { parseTags } from '../../lib/tags';
import { keepSecret } from '../../state/claim';
import { useSites, useTypes } from '../../state/queries';
import { useSession } from '../../state/session';
import { Button, SelectField, TextField } from '../../ui/basics';
import { TagsField } from '../../ui/form-dialog';
import { ProblemView } from '../../ui/states';

const kLifetimes = [
  { value: '3600', label: '1 hour' },
  { value: '86400', label: '1 day' },
  { value: '604800', label: '7 days' },
  { value: '2592000', label: '30 days' },
];

export function ClaimForm({ onCreated }: { onCreated: (id: string) => void }) {
  const sites = useSites();
  const types = useTypes();
  // Someone limited to sites must name one of them.
  const limited = useSession().data?.sites !== null;
  const [type, setType] = useState('');
  const [chosenSite, setSite] = useState<string | null>(null);
  const site = chosenSite ?? (limited ? (sites.data?.[0]?.id ?? '') : '');
  const [name, setName] = useState('');
  const [tags, setTags] = useState('');
  const [serial, setSerial] = useState('');
  const [lifetime, setLifetime] = useState('3600');
  const parsed = parseTags(tags);
  const create = useMutation({
    mutationFn: () => {
      const body: ClaimCreate = { expires_in_s: Number(lifetime) };
      if (type) body.type_id = type;
      if (site) body.site_id = site;
      if (name.trim()) body.name = name.trim();
      if (serial.trim()) body.device_serial = serial.trim();
      if (Object.keys(parsed.tags).length > 0) body.tags = parsed.tags;
      return must(client.POST('/v1/claims', { params: { header: intent() }, body }));
    },
    onSuccess: (created) => {
      keepSecret(created);
      onCreated(created.id);
    },
  });
  return (
    <form
      class="claim-form"
      onSubmit={(e) => {
        e.preventDefault();
        create.mutate();
      }}
    >
      <SelectField
        label="Type"
        value={type}
        options={[{ value: '', label: 'No type' }, ...(types.data ?? []).map((t) => ({ value: t.id, label: t.name }))]}
        onChange={setType}
      />
      <SelectField
        label="Site"
        value={site}
        options={[
          ...(limited ? [] : [{ value: '', label: 'No site' }]),
          ...(sites.data ?? []).map((s) => ({ value: s.id, label: s.name })),
        ]}
        onChange={setSite}
      />
      <TextField
        label="Name"
        hint="Left empty, the device suggests one."
        maxLength={128}
        value={name}
        error={fieldError(create.error, '/name')}
        onInput={(e) => setName(e.currentTarget.value)}
      />
      <TagsField value={tags} error={parsed.errors[0]} onInput={setTags} />
      <SelectField label="Code works for" value={lifetime} options={kLifetimes} onChange={setLifetime} />
      <details class="fold">
        <summary>Only for one serial number</summary>
        <TextField
          label="Serial number"
          hint="Then no other device can use the code."
          spellcheck={false}
          autocapitalize="off"
          maxLength={128}
          value={serial}
          error={fieldError(create.error, '/device_serial')}
          onInput={(e) => setSerial(e.currentTarget.value)}
        />
      </details>
      {create.isError ? <ProblemView error={create.error} /> : null}
      <div class="row">
        <Button kind="primary" type="submit" busy={create.isPending} disabled={parsed.errors.length > 0}>
          Show the code
        </Button>
      </div>
    </form>
  );
}
