// Name, site, type and tags of one device, saved as one change. If someone else changed the device
// meanwhile, that is said and nothing is overwritten.
import { useMutation } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { fieldError, ProblemError } from '../../api/problem';
import type { Device } from '../../api/types';
import { parseTags, tagsText } from '../../lib/tags';
import { changeDevice, shown, type DeviceChange } from '../../state/acts';
import { useDevice, useSites, useTypes } from '../../state/queries';
import { SelectField } from '../../ui/basics';
import { FormDialog, NameField, TagsField } from '../../ui/form-dialog';

function named(list: { id: string; name: string }[] | undefined, none: string) {
  return [{ value: '', label: none }, ...(list ?? []).map((x) => ({ value: x.id, label: x.name }))];
}

function TakeNewer({ act }: { act: () => void }) {
  return (
    <button type="button" class="link" onClick={act}>
      Take the newer state and keep what I typed
    </button>
  );
}

export function EditDialog({ device, onClose }: { device: Device; onClose: () => void }) {
  const sites = useSites();
  const types = useTypes();
  const fresh = useDevice(device.id);
  // What the person saw when the dialog opened: its revision guards the save.
  const [seen, setSeen] = useState(device);
  const [name, setName] = useState(device.name);
  const [site, setSite] = useState(device.site_id ?? '');
  const [type, setType] = useState(device.type_id ?? '');
  const [tags, setTags] = useState(tagsText(device.tags));
  const parsed = parseTags(tags);
  const save = useMutation({
    mutationFn: () => {
      const change: DeviceChange = { name: name.trim() };
      if (site !== (seen.site_id ?? '')) change.site_id = site === '' ? null : site;
      if (type !== (seen.type_id ?? '')) change.type_id = type === '' ? null : type;
      if (tagsText(parsed.tags) !== tagsText(seen.tags)) change.tags = parsed.tags;
      return changeDevice(seen, change);
    },
    onSuccess: (changed) => {
      shown(changed);
      onClose();
    },
  });
  const outdated = save.error instanceof ProblemError && save.error.code === 'precondition-failed';
  const takeNewer = () => {
    void fresh.refetch().then((r) => r.data && setSeen(r.data));
    save.reset();
  };
  return (
    <FormDialog
      title={`Change ${device.name}`}
      act="Save"
      work={save}
      disabled={parsed.errors.length > 0 || name.trim() === ''}
      onSubmit={() => save.mutate()}
      onClose={onClose}
      mend={outdated ? <TakeNewer act={takeNewer} /> : null}
    >
      <NameField required autofocus value={name} error={fieldError(save.error, '/name')} onInput={setName} />
      <SelectField label="Site" value={site} options={named(sites.data, 'No site')} onChange={setSite} />
      <SelectField label="Type" value={type} options={named(types.data, 'No type')} onChange={setType} />
      <TagsField value={tags} error={parsed.errors[0]} onInput={setTags} />
    </FormDialog>
  );
}
