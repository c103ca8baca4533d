// A claim while its device joins: its secret, which the server tells once and which stays in this page's
// memory only, and its progress, followed live.
import { useQuery } from '@tanstack/preact-query';
import { useEffect } from 'preact/hooks';
import { client, must } from '../api/client';
import type { Claim, ClaimCreated } from '../api/types';
import { further, isDone } from '../lib/progress';
import { backoffMs } from '../live/backoff';
import { readEvents } from '../live/sse';
import { deviceKey } from './queries';
import { queryClient } from './session';

/** Secrets kept, newest last. */
const kSecretsMax = 10;
const secrets = new Map<string, ClaimCreated>();

export function keepSecret(created: ClaimCreated): void {
  secrets.set(created.id, created);
  const oldest = secrets.keys().next().value;
  if (secrets.size > kSecretsMax && oldest !== undefined) secrets.delete(oldest);
}

export function secretOfClaim(id: string): ClaimCreated | null {
  return secrets.get(id) ?? null;
}

const claimKey = (id: string) => ['claim', id] as const;

function isOver(claim: Claim | undefined): boolean {
  return claim !== undefined && (claim.state === 'expired' || claim.state === 'revoked' || isDone(claim));
}

/** Each step changes the device as well: what is known of it is old now. */
function tell(id: string, claim: Claim): void {
  queryClient.setQueryData(claimKey(id), claim);
  if (claim.device_id) void queryClient.invalidateQueries({ queryKey: deviceKey(claim.device_id) });
}

async function followClaim(id: string, signal: AbortSignal): Promise<void> {
  let failures = 0;
  let lastId = '';
  while (!signal.aborted && !isOver(queryClient.getQueryData<Claim>(claimKey(id)))) {
    try {
      const response = await fetch(`/v1/claims/${encodeURIComponent(id)}/progress`, {
        headers: { Accept: 'text/event-stream', ...(lastId ? { 'Last-Event-ID': lastId } : {}) },
        credentials: 'same-origin',
        cache: 'no-store',
        signal,
      });
      if (response.status >= 400 && response.status < 500) return;
      if (response.ok) {
        await readEvents(response, {
          onBytes: () => (failures = 0),
          onEvents: (events) => {
            for (const event of events) {
              if (event.id) lastId = event.id;
              if (event.event === 'claim') tell(id, JSON.parse(event.data) as Claim);
              else if (event.event === 'reset') void queryClient.invalidateQueries({ queryKey: claimKey(id) });
            }
          },
        });
      }
    } catch {
      // Cut or unreadable: read on after a pause. The query below reports a server that stays away.
    }
    failures += 1;
    await new Promise((go) => setTimeout(go, backoffMs(failures, Math.random)));
  }
}

export function useClaim(id: string) {
  const read = useQuery<Claim>({
    queryKey: claimKey(id),
    queryFn: async () => {
      const read = await must(client.GET('/v1/claims/{claim_id}', { params: { path: { claim_id: id } } }));
      // The answer may be older than what the stream told meanwhile.
      return further(read, queryClient.getQueryData<Claim>(claimKey(id)));
    },
    refetchInterval: (q) => (isOver(q.state.data) ? false : 10_000),
  });
  useEffect(() => {
    const stop = new AbortController();
    void followClaim(id, stop.signal);
    return () => stop.abort();
  }, [id]);
  return read;
}
