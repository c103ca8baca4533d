// Add device: say what it will be, get the command, and watch it come until its first reading.
import { useMutation, useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';
import { client, done, must } from '../../api/client';
import type { Claim, ClaimCreated } from '../../api/types';
import { clock, duration, millis, moment } from '../../lib/format';
import { joinWays, wayNote } from '../../lib/join';
import { isDone } from '../../lib/progress';
import { tagText } from '../../lib/tags';
import { secretOfClaim, useClaim } from '../../state/claim';
import { now } from '../../state/now';
import { useSites, useTypes } from '../../state/queries';
import { queryClient, useCan } from '../../state/session';
import { Badge, Button, Copy } from '../../ui/basics';
import { ProblemView, Waiting } from '../../ui/states';
import { useTitle } from '../../ui/title';
import { ClaimForm } from './claim-form';
import { ProgressPanel, ProgressPreview } from './progress-panel';
import { Qr } from './qr';

function Ways({ created }: { created: ClaimCreated }) {
  const agent = useQuery({ queryKey: ['agent'], queryFn: () => must(client.GET('/v1/agent')), staleTime: 60_000 });
  const [chosen, setChosen] = useState<string | null>(null);
  if (agent.isPending) return <Waiting />;
  const ways = joinWays(agent.data, created);
  const key = chosen ?? ways[0]?.key ?? 'qr';
  const way = ways.find((w) => w.key === key);
  const until = millis(created.expires_at);
  const note = wayNote(agent.data, key);
  const tab = (id: string, label: string) => (
    <button key={id} type="button" class={id === key ? 'here' : ''} aria-pressed={id === key} onClick={() => setChosen(id)}>
      {label}
    </button>
  );
  return (
    <>
      <div class="tabs" role="group" aria-label="How the device joins">
        {ways.map((w) => tab(w.key, w.title))}
        {tab('qr', 'QR code')}
      </div>
      <p>
        {way ? 'Run this on the device, as root.' : 'Scan this with the device.'} The code works once and until{' '}
        {until - now.value < 86_400_000 ? clock(until) : moment(until, now.value)}.
      </p>
      {note ? <p class="faint">{note}</p> : null}
      {way ? (
        <div class="command">
          <pre class="code" tabIndex={0}>
            {way.lines.map((line, i) => (
              <span key={i} class="command-line">
                {line}
              </span>
            ))}
          </pre>
          <Copy text={way.lines.join('\n')} />
        </div>
      ) : (
        <div class="qr-row">
          <Qr text={created.code} />
          <div>
            <p class="faint">The code in letters, for typing or pasting:</p>
            <code class="break code-text">{created.code}</code>
            <Copy text={created.code} label="Copy the code" />
          </div>
        </div>
      )}
      {agent.isError ? <ProblemView error={agent.error} retry={() => void agent.refetch()} /> : null}
    </>
  );
}

function Chosen({ claim }: { claim: Claim }) {
  const type = useTypes().data?.find((t) => t.id === claim.type_id)?.name;
  const site = useSites().data?.find((s) => s.id === claim.site_id)?.name;
  const tags = Object.entries(claim.tags);
  const left = millis(claim.expires_at) - now.value;
  return (
    <dl class="facts chosen">
      <div>
        <dt>Type</dt>
        <dd>{type ? <Badge>{type}</Badge> : <span class="faint">none</span>}</dd>
      </div>
      <div>
        <dt>Site</dt>
        <dd>{site ? <Badge>{site}</Badge> : <span class="faint">none</span>}</dd>
      </div>
      {claim.name ? (
        <div>
          <dt>Name</dt>
          <dd>{claim.name}</dd>
        </div>
      ) : null}
      <div>
        <dt>Tags</dt>
        <dd>{tags.length > 0 ? tags.map(([k, v]) => <Badge key={k}>{tagText(k, v)}</Badge>) : <span class="faint">none</span>}</dd>
      </div>
      {claim.device_serial ? (
        <div>
          <dt>Must prove</dt>
          <dd>
            serial number <code>{claim.device_serial}</code>
          </dd>
        </div>
      ) : null}
      {claim.state === 'open' ? (
        <div>
          <dt>Code works</dt>
          <dd>{left > 0 ? `for ${duration(left)} more` : 'no more'}</dd>
        </div>
      ) : null}
    </dl>
  );
}

function Revoke({ claim }: { claim: Claim }) {
  const can = useCan();
  const revoke = useMutation({
    mutationFn: () => done(client.DELETE('/v1/claims/{claim_id}', { params: { path: { claim_id: claim.id } } })),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['claim', claim.id] }),
  });
  if (claim.state !== 'open' || !can('claim.write')) return null;
  return (
    <>
      <Button busy={revoke.isPending} onClick={() => revoke.mutate()}>
        Revoke the code
      </Button>
      {revoke.isError ? <ProblemView error={revoke.error} /> : null}
    </>
  );
}

function Following({ id }: { id: string }) {
  const can = useCan();
  const read = useClaim(id);
  const created = secretOfClaim(id);
  if (read.isPending) return <Waiting />;
  const claim = read.data;
  if (!claim) return <ProblemView error={read.error} retry={() => void read.refetch()} />;
  return (
    <div class="add">
      <div class="add-left">
        {claim.state === 'open' && created ? <Ways created={created} /> : null}
        {claim.state === 'open' && !created ? (
          <p class="note">
            The code was shown once and is kept nowhere. If the device does not have it yet, revoke it and{' '}
            <Link href="/add">make a new one</Link>.
          </p>
        ) : null}
        {claim.state === 'spent' && !isDone(claim) ? <p>The code is spent: the device has its certificate.</p> : null}
        <Chosen claim={claim} />
        <Revoke claim={claim} />
      </div>
      <ProgressPanel claim={claim} canRead={can('device.read')} />
    </div>
  );
}

export default function AddPage({ claimId }: { claimId: string | null }) {
  useTitle('Add device');
  const [, go] = useLocation();
  const can = useCan();
  return (
    <div class="page">
      <nav class="crumbs" aria-label="Where this page stands">
        <Link href="/devices">Devices</Link>
      </nav>
      <h1>Add device</h1>
      {!can('claim.write') && claimId === null ? (
        <p>
          To add a device you need the permission <code>claim.write</code>. Ask an administrator.
        </p>
      ) : claimId === null ? (
        <div class="add">
          <div class="add-left">
            <ClaimForm onCreated={(id) => go(`/add/${id}`)} />
          </div>
          <ProgressPreview />
        </div>
      ) : (
        <Following key={claimId} id={claimId} />
      )}
    </div>
  );
}
