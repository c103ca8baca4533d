// Name and password. The form is the whole page; what failed stands under the fields.
import { useMutation, useQuery } from '@tanstack/preact-query';
import { useEffect, useState } from 'preact/hooks';
import { client, must } from '../api/client';
import { ProblemError } from '../api/problem';
import { signIn } from '../state/session';
import { Button, PasswordField } from '../ui/basics';
import { GateForm, UserNameField } from '../ui/gate';
import { ProblemView } from '../ui/states';
import { useTitle } from '../ui/title';

/** Seconds that the server asks to wait, counted down; 0 when none. */
function useWait(error: unknown): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const wait = error instanceof ProblemError ? (error.problem.retry_after_s ?? 0) : 0;
    setLeft(Math.ceil(wait));
    if (wait <= 0) return;
    const timer = setInterval(() => setLeft((s) => Math.max(0, s - 1)), 1000);
    return () => clearInterval(timer);
  }, [error]);
  return left;
}

export function SignInPage() {
  useTitle('Sign in');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const setup = useQuery({ queryKey: ['setup'], queryFn: () => must(client.GET('/v1/setup')) });
  const attempt = useMutation({ mutationFn: () => signIn(name.trim(), password) });
  const wait = useWait(attempt.error);
  const wrong = attempt.error instanceof ProblemError && attempt.error.status === 401;
  return (
    <main class="gate">
      <GateForm title="Sign in" onSubmit={() => attempt.mutate()}>
        {setup.data?.open ? (
          <p class="note">
            No administrator exists yet. Open the set-up link that the server printed when it started; it works once.
          </p>
        ) : null}
        <UserNameField autofocus value={name} onInput={(e) => setName(e.currentTarget.value)} />
        <PasswordField
          label="Password"
          name="password"
          autocomplete="current-password"
          required
          maxLength={256}
          value={password}
          error={wrong ? 'Name or password is wrong.' : undefined}
          onInput={(e) => setPassword(e.currentTarget.value)}
        />
        {attempt.isError && !wrong ? <ProblemView error={attempt.error} /> : null}
        <Button kind="primary" type="submit" busy={attempt.isPending} disabled={wait > 0}>
          {wait > 0 ? `Wait ${wait} s` : 'Sign in'}
        </Button>
      </GateForm>
    </main>
  );
}
