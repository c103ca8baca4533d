// The one-time set-up: the link's secret, a name, a password, and the first administrator is signed in.
import { useMutation, useQuery } from '@tanstack/preact-query';
import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import { client, must } from '../api/client';
import { fieldError, ProblemError } from '../api/problem';
import { kPasswordMin, passwordHint, secretOf } from '../lib/setup-link';
import { signedIn } from '../state/session';
import { Button, ButtonLink, PasswordField } from '../ui/basics';
import { GateForm, UserNameField } from '../ui/gate';
import { ProblemView, Waiting } from '../ui/states';
import { useTitle } from '../ui/title';

function useSecret(): string | null {
  const [secret] = useState(() => secretOf(location.hash));
  useEffect(() => {
    // Out of the address bar and the history as soon as it is read.
    if (secret) history.replaceState(history.state, '', location.pathname);
  }, [secret]);
  return secret;
}

function SetupForm({ secret }: { secret: string }) {
  const [, go] = useLocation();
  const [name, setName] = useState('admin');
  const [password, setPassword] = useState('');
  const make = useMutation({
    mutationFn: () => must(client.POST('/v1/setup', { body: { secret, name: name.trim(), password } })),
    onSuccess: (session) => {
      signedIn(session);
      go('/devices', { replace: true });
    },
  });
  const named = fieldError(make.error, '/name');
  const passworded = fieldError(make.error, '/password');
  return (
    <GateForm title="Set up" onSubmit={() => make.mutate()}>
      <p class="note">You become the first administrator of this server. This page works once.</p>
      <UserNameField
        pattern="[A-Za-z0-9._@+\-]+"
        title="Letters, digits and . _ @ + -"
        value={name}
        error={named}
        onInput={(e) => setName(e.currentTarget.value)}
      />
      <PasswordField
        label="Password"
        name="password"
        autocomplete="new-password"
        required
        minLength={kPasswordMin}
        maxLength={256}
        value={password}
        hint={passwordHint(password)}
        error={passworded}
        onInput={(e) => setPassword(e.currentTarget.value)}
      />
      {make.isError && !named && !passworded ? <ProblemView error={make.error} /> : null}
      <Button kind="primary" type="submit" busy={make.isPending}>
        Make administrator
      </Button>
    </GateForm>
  );
}

export default function SetupPage() {
  useTitle('Set up');
  const secret = useSecret();
  const status = useQuery({ queryKey: ['setup'], queryFn: () => must(client.GET('/v1/setup')), staleTime: 0 });
  if (status.isPending) return <Waiting />;
  if (status.isError) {
    const gone = status.error instanceof ProblemError && status.error.status === 404;
    return (
      <main class="gate">{gone ? <Done /> : <ProblemView error={status.error} retry={() => void status.refetch()} />}</main>
    );
  }
  return (
    <main class="gate">
      {!status.data.open ? (
        <Done />
      ) : secret ? (
        <SetupForm secret={secret} />
      ) : (
        <div class="gate-form">
          <h1>Set up</h1>
          <p>The link is not complete. Open it as the server printed it, with all that follows the #.</p>
        </div>
      )}
    </main>
  );
}

function Done() {
  return (
    <div class="gate-form">
      <h1>Set up</h1>
      <p>This server has an administrator already.</p>
      <ButtonLink href="/" kind="primary">
        Sign in
      </ButtonLink>
    </div>
  );
}
