// Commands of one device, newest first, and the form to send one. A command is told to its end: sent,
// delivered, answered, or past its deadline.
import { useInfiniteQuery, useMutation } from '@tanstack/preact-query';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { client, intent, must } from '../../api/client';
import { fieldError } from '../../api/problem';
import type { Command, Device } from '../../api/types';
import { duration, millis } from '../../lib/format';
import { brief, parseJson, pretty } from '../../lib/json';
import { commandTone, errorWords, isFinal } from '../../lib/words';
import { now } from '../../state/now';
import { queryClient, useCan } from '../../state/session';
import { Ago, Badge, Button, Field, Live, SelectField, TextField } from '../../ui/basics';
import { Facts, OlderButton } from '../../ui/entries';
import { FormDialog } from '../../ui/form-dialog';
import { Empty, ProblemView, Waiting } from '../../ui/states';

const kPage = 50;
const kWatchMs = 3_000;
const kCalmMs = 30_000;
const kDeadlines = [
  { value: '60', label: '1 minute' },
  { value: '300', label: '5 minutes' },
  { value: '3600', label: '1 hour' },
  { value: '86400', label: '1 day' },
  { value: '604800', label: '7 days' },
];

function useCommands(id: string) {
  return useInfiniteQuery({
    queryKey: ['commands', id],
    queryFn: ({ pageParam }) =>
      must(
        client.GET('/v1/commands', {
          params: { query: { device_id: id, limit: kPage, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    // Close to a command that has not ended, calm otherwise.
    refetchInterval: (q) =>
      q.state.data?.pages.some((p) => p.items.some((c) => !isFinal(c.state))) ? kWatchMs : kCalmMs,
  });
}

export function CommandDialog({ device, onClose }: { device: Device; onClose: () => void }) {
  const [name, setName] = useState('ping');
  const [payload, setPayload] = useState('');
  const [deadline, setDeadline] = useState('300');
  const [key] = useState(intent);
  const parsed = payload.trim() === '' ? ({ ok: true, value: null } as const) : parseJson(payload);
  const send = useMutation({
    mutationFn: () =>
      must(
        client.POST('/v1/devices/{device_id}/commands', {
          params: { path: { device_id: device.id }, header: key },
          body: {
            name: name.trim(),
            deadline_s: Number(deadline),
            ...(parsed.ok && parsed.value !== null ? { payload: parsed.value as Command['payload'] } : {}),
          },
        }),
      ),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ['commands', device.id] });
      onClose();
    },
  });
  return (
    <FormDialog
      title={`Command to ${device.name}`}
      act="Send"
      work={send}
      disabled={!parsed.ok || name.trim() === ''}
      onSubmit={() => {
        if (parsed.ok) send.mutate();
      }}
      onClose={onClose}
    >
      {device.presence.online ? null : <p class="note">The device is offline. The command waits until its deadline.</p>}
      <TextField
        label="Name"
        hint="As the device knows it; the agent knows ping."
        required
        autofocus
        maxLength={64}
        pattern="[A-Za-z0-9_\-]+"
        title="Letters, digits, hyphen and underscore"
        spellcheck={false}
        autocapitalize="off"
        value={name}
        error={fieldError(send.error, '/name')}
        onInput={(e) => setName(e.currentTarget.value)}
      />
      <Field label="Payload" hint="JSON, or empty" error={parsed.ok ? undefined : parsed.message}>
        {({ id, describedBy, invalid }) => (
          <textarea
            id={id}
            class="input code"
            rows={4}
            spellcheck={false}
            aria-describedby={describedBy}
            aria-invalid={invalid || undefined}
            value={payload}
            onInput={(e) => setPayload(e.currentTarget.value)}
          />
        )}
      </Field>
      <SelectField label="Deadline" value={deadline} options={kDeadlines} onChange={setDeadline} />
    </FormDialog>
  );
}

function Outcome({ command }: { command: Command }) {
  if (command.state === 'failed') return <span class="bad-text">{errorWords(command.error)}</span>;
  if (command.state === 'succeeded') {
    return command.result === null || command.result === undefined ? null : <code class="break">{brief(command.result)}</code>;
  }
  if (isFinal(command.state)) return null;
  const left = millis(command.deadline) - now.value;
  return <span class="faint">{left > 0 ? `${duration(left)} left` : 'past its deadline'}</span>;
}

function Details({ command }: { command: Command }) {
  const rows: [string, ComponentChildren][] = [
    ['Id', <code class="break">{command.id}</code>],
    ['By', <code class="break">{command.created_by}</code>],
    ['Payload', <pre class="code" tabIndex={0}>{pretty(command.payload)}</pre>],
  ];
  if (isFinal(command.state)) {
    rows.push([command.error ? 'Error' : 'Result', <pre class="code" tabIndex={0}>{pretty(command.error ?? command.result)}</pre>]);
  }
  return <Facts rows={rows} inEntry />;
}

function CommandRow({ command }: { command: Command }) {
  const can = useCan();
  const cancel = useMutation({
    mutationFn: () =>
      must(client.POST('/v1/commands/{command_id}/cancel', { params: { path: { command_id: command.id }, header: intent() } })),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['commands', command.device_id] }),
  });
  return (
    <li class="entry">
      <details>
        <summary>
          <span class="entry-line">
            <b>{command.name}</b>
            <Live value={command.state}>
              <Badge tone={commandTone(command.state)}>{command.state}</Badge>
            </Live>
            <span class="grow cut">
              <Outcome command={command} />
            </span>
            <span class="faint">
              <Ago time={command.created_at} />
            </span>
            <span class="open-mark" aria-hidden="true" />
          </span>
        </summary>
        <Details command={command} />
        {can('command.run') && !isFinal(command.state) ? (
          <div class="entry-more">
            <Button busy={cancel.isPending} onClick={() => cancel.mutate()}>
              Cancel the command
            </Button>
          </div>
        ) : null}
      </details>
      {cancel.isError ? <ProblemView error={cancel.error} /> : null}
    </li>
  );
}

export function CommandsTab({ device, onRun }: { device: Device; onRun: () => void }) {
  const can = useCan();
  const list = useCommands(device.id);
  if (list.isPending) return <Waiting />;
  if (!list.data) return <ProblemView error={list.error} retry={() => void list.refetch()} />;
  const commands = list.data.pages.flatMap((p) => p.items);
  if (commands.length === 0) {
    return (
      <Empty text="No command was sent to this device.">
        {can('command.run') ? <Button onClick={onRun}>Send a command</Button> : null}
      </Empty>
    );
  }
  return (
    <section class="panel">
      <ul class="entries">
        {commands.map((c) => (
          <CommandRow key={c.id} command={c} />
        ))}
      </ul>
      <OlderButton list={list} />
    </section>
  );
}
