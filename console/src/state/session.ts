// Who is signed in, and what they may do. Everything that a person may not do is left out of a page,
// not greyed; the server decides all the same.
import { useQuery } from '@tanstack/preact-query';
import { QueryClient } from '@tanstack/preact-query';
import { client, done, must, whenSignedOut } from '../api/client';
import { isTransient, ProblemError } from '../api/problem';
import type { Session } from '../api/types';

const kRetriesMax = 2;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      gcTime: 5 * 60_000,
      retry: (failures, error) => failures < kRetriesMax && isTransient(error),
      networkMode: 'always',
    },
    mutations: { networkMode: 'always', retry: false },
  },
});

export const kSessionKey = ['session'] as const;

whenSignedOut(() => {
  if (queryClient.getQueryData(kSessionKey)) queryClient.setQueryData(kSessionKey, null);
});

async function readSession(): Promise<Session | null> {
  try {
    return await must(client.GET('/v1/session'));
  } catch (error) {
    if (error instanceof ProblemError && error.status === 401) return null;
    throw error;
  }
}

/** null: nobody is signed in. */
export function useSession() {
  return useQuery<Session | null>({ queryKey: kSessionKey, queryFn: readSession, staleTime: 60_000 });
}

export function useCan(): (permission: string) => boolean {
  const held = useSession().data?.permissions;
  return (permission) => held?.includes(permission) ?? false;
}

export function signedIn(session: Session): void {
  queryClient.setQueryData(kSessionKey, session);
}

export async function signIn(name: string, password: string): Promise<void> {
  signedIn(await must(client.POST('/v1/session', { body: { name, password } })));
}

export async function signOut(): Promise<void> {
  await done(client.DELETE('/v1/session'));
  // The session's own entry stays: the page watches it.
  queryClient.setQueryData(kSessionKey, null);
  queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== kSessionKey[0] });
}
