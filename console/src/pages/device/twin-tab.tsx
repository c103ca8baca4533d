// The twin: what is wanted, what the device says, and where the two differ.
import { useMutation, useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { client, etag, must } from '../../api/client';
import { ProblemError } from '../../api/problem';
import type { Device, Twin } from '../../api/types';
import { brief, parseObject, pretty } from '../../lib/json';
import { queryClient, useCan } from '../../state/session';
import { Ago, Badge, Button, Field } from '../../ui/basics';
import { ProblemView, Waiting } from '../../ui/states';

const kRefreshMs = 15_000;

function useTwin(id: string) {
  const params = { params: { path: { device_id: id } } };
  const twin = useQuery({
    queryKey: ['twin', id, 'document'],
    queryFn: () => must(client.GET('/v1/devices/{device_id}/twin', params)),
    refetchInterval: kRefreshMs,
  });
  const diff = useQuery({
    queryKey: ['twin', id, 'diff'],
    queryFn: () => must(client.GET('/v1/devices/{device_id}/twin/diff', params)),
    refetchInterval: kRefreshMs,
  });
  return { twin, diff };
}

function Editor({ device, twin, onClose }: { device: Device; twin: Twin; onClose: () => void }) {
  const [text, setText] = useState(pretty(twin.desired));
  const [version] = useState(twin.desired_version);
  const parsed = parseObject(text);
  const save = useMutation({
    mutationFn: (body: Record<string, unknown>) =>
      must(
        client.PUT('/v1/devices/{device_id}/twin/desired', {
          params: { path: { device_id: device.id }, header: { 'If-Match': etag(version) } },
          body,
        }),
      ),
    onSuccess: (fresh) => {
      queryClient.setQueryData(['twin', device.id, 'document'], fresh);
      void queryClient.invalidateQueries({ queryKey: ['twin', device.id] });
      onClose();
    },
  });
  const outdated = save.error instanceof ProblemError && save.error.code === 'precondition-failed';
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        if (parsed.ok) save.mutate(parsed.value);
      }}
    >
      <Field label="Desired state" hint="A JSON object. It replaces the whole desired state." error={parsed.ok ? undefined : parsed.message}>
        {({ id, describedBy, invalid }) => (
          <textarea
            id={id}
            class="input code"
            rows={Math.min(30, Math.max(8, text.split('\n').length + 1))}
            spellcheck={false}
            aria-describedby={describedBy}
            aria-invalid={invalid || undefined}
            value={text}
            onInput={(e) => setText(e.currentTarget.value)}
          />
        )}
      </Field>
      {save.isError ? <ProblemView error={save.error} /> : null}
      {outdated ? <p class="note">Someone changed it meanwhile. Copy what you typed, cancel, and change it anew.</p> : null}
      <div class="row">
        <Button kind="primary" type="submit" busy={save.isPending} disabled={!parsed.ok}>
          Save
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </form>
  );
}

function Differences({ id }: { id: string }) {
  const { diff, twin } = useTwin(id);
  if (!diff.data) return diff.isError ? <ProblemView error={diff.error} /> : null;
  if (twin.data?.desired_version === 0) return <p class="faint">Nothing is desired of this device yet.</p>;
  if (diff.data.in_sync) return <p>The device reports everything that is desired.</p>;
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">Member</th>
          <th scope="col">Desired</th>
          <th scope="col">Reported</th>
        </tr>
      </thead>
      <tbody>
        {diff.data.changes.map((c) => (
          <tr key={c.pointer}>
            <th scope="row">
              <code>{c.pointer || '/'}</code>
            </th>
            <td>
              <code class="break">{brief(c.desired)}</code>
            </td>
            <td>{'reported' in c ? <code class="break">{brief(c.reported)}</code> : <span class="faint">not reported</span>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function TwinTab({ device }: { device: Device }) {
  const can = useCan();
  const { twin, diff } = useTwin(device.id);
  const [editing, setEditing] = useState(false);
  if (twin.isPending) return <Waiting />;
  if (!twin.data) return <ProblemView error={twin.error} retry={() => void twin.refetch()} />;
  const t = twin.data;
  return (
    <div class="twin">
      <section class="panel pad">
        <h2>
          Differences{' '}
          {diff.data ? (
            <Badge tone={diff.data.in_sync ? 'ok' : 'warn'}>
              {diff.data.in_sync ? 'in step' : `${diff.data.changes.length} differ`}
            </Badge>
          ) : null}
        </h2>
        <Differences id={device.id} />
      </section>
      <div class="two">
        <section class="panel pad">
          <h2>
            Desired <span class="faint">version {t.desired_version}</span>
            {t.desired_at ? (
              <span class="faint">
                , <Ago time={t.desired_at} />
              </span>
            ) : null}
          </h2>
          {editing ? (
            <Editor device={device} twin={t} onClose={() => setEditing(false)} />
          ) : (
            <>
              <pre class="code" tabIndex={0}>{pretty(t.desired)}</pre>
              {can('twin.write') ? <Button onClick={() => setEditing(true)}>Change</Button> : null}
            </>
          )}
        </section>
        <section class="panel pad">
          <h2>
            Reported <span class="faint">version {t.reported_version}</span>
            {t.reported_at ? (
              <span class="faint">
                , <Ago time={t.reported_at} />
              </span>
            ) : null}
          </h2>
          {t.reported_version === 0 ? (
            <p class="faint">The device has not reported yet.</p>
          ) : (
            <pre class="code" tabIndex={0}>{pretty(t.reported)}</pre>
          )}
        </section>
      </div>
    </div>
  );
}
