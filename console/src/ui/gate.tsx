// The forms before the door: sign-in and set-up.
import type { ComponentChildren } from 'preact';
import { Logo } from '../logo';
import { TextField, type InputProps } from './basics';

export function GateForm({ title, onSubmit, children }: { title: string; onSubmit: () => void; children: ComponentChildren }) {
  return (
    <form
      class="gate-form"
      onSubmit={(e) => {
        e.preventDefault();
        onSubmit();
      }}
    >
      <p class="brand">
        <Logo /> Holdfast
      </p>
      <h1>{title}</h1>
      {children}
    </form>
  );
}

/** As password managers look for it. */
export function UserNameField(rest: Omit<InputProps, 'label'>) {
  return (
    <TextField
      label="Name"
      name="username"
      autocomplete="username"
      autocapitalize="off"
      spellcheck={false}
      required
      maxLength={64}
      {...rest}
    />
  );
}
