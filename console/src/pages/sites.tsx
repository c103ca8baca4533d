// Sites: the places that devices stand at, and the scope for people and policy.
import { useMutation } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { client, done, etag, intent, mergePatch, must } from '../api/client';
import { fieldError } from '../api/problem';
import type { Site } from '../api/types';
import { count } from '../lib/format';
import { pairText } from '../lib/filter';
import { useSites } from '../state/queries';
import { queryClient, useCan } from '../state/session';
import { Ago, Button, TextField } from '../ui/basics';
import { FormDialog, NameField } from '../ui/form-dialog';
import { Empty, ProblemView, Waiting } from '../ui/states';
import { useTitle } from '../ui/title';

function reread(): void {
  void queryClient.invalidateQueries({ queryKey: ['sites'] });
  void queryClient.invalidateQueries({ queryKey: ['devices'] });
}

function SiteDialog({ site, onClose }: { site: Site | null; onClose: () => void }) {
  const [name, setName] = useState(site?.name ?? '');
  const [description, setDescription] = useState(site?.description ?? '');
  const [key] = useState(intent);
  const save = useMutation({
    mutationFn: () => {
      const body = { name: name.trim(), description: description.trim() };
      if (!site) return must(client.POST('/v1/sites', { params: { header: key }, body }));
      return must(
        client.PATCH('/v1/sites/{site_id}', {
          params: { path: { site_id: site.id }, header: { 'If-Match': etag(site.revision) } },
          headers: mergePatch,
          body,
        }),
      );
    },
    onSuccess: () => {
      reread();
      onClose();
    },
  });
  return (
    <FormDialog
      title={site ? `Change ${site.name}` : 'Add site'}
      act={site ? 'Save' : 'Add site'}
      work={save}
      disabled={name.trim() === ''}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <NameField required autofocus value={name} error={fieldError(save.error, '/name')} onInput={setName} />
      <TextField label="Description" maxLength={1000} value={description} onInput={(e) => setDescription(e.currentTarget.value)} />
    </FormDialog>
  );
}

function RemoveDialog({ site, onClose }: { site: Site; onClose: () => void }) {
  const remove = useMutation({
    mutationFn: () =>
      done(
        client.DELETE('/v1/sites/{site_id}', {
          params: { path: { site_id: site.id }, header: { 'If-Match': etag(site.revision) } },
        }),
      ),
    onSuccess: () => {
      reread();
      onClose();
    },
  });
  return (
    <FormDialog
      title={`Remove ${site.name}`}
      act="Remove"
      kind="danger"
      work={remove}
      disabled={site.device_count > 0}
      onSubmit={() => remove.mutate()}
      onClose={onClose}
    >
      <p class="note">
        {site.device_count > 0
          ? `${count(site.device_count)} devices stand there. Move them first; a site in use cannot be removed.`
          : 'Nothing stands there. People and codes that name it would stop the removal.'}
      </p>
    </FormDialog>
  );
}

function SiteTable({ sites, onEdit, onRemove }: { sites: Site[]; onEdit: (s: Site) => void; onRemove: (s: Site) => void }) {
  const write = useCan()('site.write');
  return (
    <div class="panel scroller plain" tabIndex={0} role="region" aria-label="Sites">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Description</th>
            <th scope="col" class="number">
              Devices
            </th>
            <th scope="col">Added</th>
            {write ? <td /> : null}
          </tr>
        </thead>
        <tbody>
          {sites.map((s) => (
            <tr key={s.id}>
              <th scope="row">
                <Link href={`/devices?${new URLSearchParams({ filter: pairText('site', s.name) }).toString()}`}>{s.name}</Link>
              </th>
              <td>{s.description}</td>
              <td class="number">{count(s.device_count)}</td>
              <td class="faint">
                <Ago time={s.created_at} />
              </td>
              {write ? (
                <td class="acts">
                  <Button kind="quiet" onClick={() => onEdit(s)}>
                    Change<span class="unseen"> {s.name}</span>
                  </Button>
                  <Button kind="quiet" onClick={() => onRemove(s)}>
                    Remove<span class="unseen"> {s.name}</span>
                  </Button>
                </td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export default function SitesPage() {
  useTitle('Sites');
  const can = useCan();
  const sites = useSites();
  const [edit, setEdit] = useState<Site | 'new' | null>(null);
  const [remove, setRemove] = useState<Site | null>(null);
  const add = can('site.write') ? (
    <Button kind="primary" onClick={() => setEdit('new')}>
      Add site
    </Button>
  ) : null;
  return (
    <div class="page">
      <header class="title">
        <h1>Sites</h1>
        {sites.data ? <span class="of">{count(sites.data.length)}</span> : null}
        <span class="grow" />
        {sites.data?.length ? add : null}
      </header>
      {sites.isPending ? <Waiting /> : null}
      {sites.isError ? <ProblemView error={sites.error} retry={() => void sites.refetch()} /> : null}
      {sites.data?.length === 0 ? <Empty text="No site yet. A site is a place, and the scope for people.">{add}</Empty> : null}
      {sites.data?.length ? <SiteTable sites={sites.data} onEdit={setEdit} onRemove={setRemove} /> : null}
      {edit !== null ? <SiteDialog site={edit === 'new' ? null : edit} onClose={() => setEdit(null)} /> : null}
      {remove ? <RemoveDialog site={remove} onClose={() => setRemove(null)} /> : null}
    </div>
  );
}
