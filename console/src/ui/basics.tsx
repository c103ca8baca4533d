// Small parts that every page uses: buttons, badges, dots, ages, fields. Native elements, no state but
// what they show.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { ago, millis } from '../lib/format';
import type { Tone } from '../lib/words';
import { now } from '../state/now';

type ButtonProps = Omit<JSX.HTMLAttributes<HTMLButtonElement>, 'size'> & {
  kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  type?: 'button' | 'submit';
  disabled?: boolean | undefined;
  busy?: boolean;
  children: ComponentChildren;
};

export function Button({ kind = 'plain', type = 'button', busy = false, disabled = false, children, ...rest }: ButtonProps) {
  return (
    <button {...rest} type={type} class={`button ${kind}`} disabled={disabled || busy} aria-busy={busy || undefined}>
      {children}
    </button>
  );
}

export function ButtonLink({ href, kind = 'plain', children }: { href: string; kind?: 'plain' | 'primary'; children: ComponentChildren }) {
  return (
    <Link href={href} class={`button ${kind}`}>
      {children}
    </Link>
  );
}

export function Badge({ tone = 'plain', title, children }: { tone?: Tone; title?: string; children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`} title={title}>
      {children}
    </span>
  );
}

/** Filled: online. Hollow: not. The word stands in the label, never only in the colour. */
export function Dot({ online, label }: { online: boolean; label: string }) {
  return <span class={`dot ${online ? 'on' : 'off'}`} role="img" aria-label={label} title={label} />;
}

/** "2 h ago", moving by itself. */
export function Ago({ time }: { time: string | null }) {
  if (time === null) return <span class="faint">never</span>;
  return (
    <time dateTime={time} title={new Date(millis(time)).toString()}>
      {ago(millis(time), now.value)}
    </time>
  );
}

/** A value that fades for a moment when it changes, so that the eye finds what moved. */
export function Live({ value, children }: { value: string; children?: ComponentChildren }) {
  const first = useRef(value);
  const changed = useRef(0);
  if (first.current !== value) {
    first.current = value;
    changed.current += 1;
  }
  return (
    <span key={changed.current} class={changed.current > 0 ? 'changed' : undefined}>
      {children ?? value}
    </span>
  );
}

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
  children: (ids: { id: string; describedBy: string | undefined; invalid: boolean }) => ComponentChildren;
}

/** A label above, a hint or the error below; both reach assistive technology. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div class={`field${error ? ' wrong' : ''}`}>
      <label for={id}>{label}</label>
      {children({ id, describedBy: note ? `${id}-note` : undefined, invalid: error !== undefined })}
      {note ? (
        <p id={`${id}-note`} class={error ? 'error' : 'hint'}>
          {note}
        </p>
      ) : null}
    </div>
  );
}

export type InputProps = Omit<JSX.InputHTMLAttributes<HTMLInputElement>, 'label'> & {
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
};

export function TextField({ label, hint, error, ...rest }: InputProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      {({ id, describedBy, invalid }) => (
        <input {...rest} id={id} class="input" aria-describedby={describedBy} aria-invalid={invalid || undefined} />
      )}
    </Field>
  );
}

/** A password that can be looked at: better than typing it twice. Pasting is welcome. */
export function PasswordField({ label, hint, error, ...rest }: InputProps) {
  const [shown, setShown] = useState(false);
  return (
    <Field label={label} hint={hint} error={error}>
      {({ id, describedBy, invalid }) => (
        <span class="joined">
          <input
            {...rest}
            id={id}
            class="input"
            type={shown ? 'text' : 'password'}
            spellcheck={false}
            autocapitalize="off"
            aria-describedby={describedBy}
            aria-invalid={invalid || undefined}
          />
          <button type="button" class="button quiet" aria-pressed={shown} onClick={() => setShown(!shown)}>
            {shown ? 'Hide' : 'Show'}
            <span class="unseen"> password</span>
          </button>
        </span>
      )}
    </Field>
  );
}

interface Option {
  value: string;
  label: string;
}

export function SelectField({ label, hint, value, options, onChange }: {
  label: string;
  hint?: ComponentChildren;
  value: string;
  options: Option[];
  onChange: (value: string) => void;
}) {
  return (
    <Field label={label} hint={hint}>
      {({ id, describedBy }) => (
        <select id={id} class="input" aria-describedby={describedBy} value={value} onChange={(e) => onChange(e.currentTarget.value)}>
          {options.map((o) => (
            <option key={o.value} value={o.value} selected={o.value === value}>
              {o.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function Copy({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [state, setState] = useState<'idle' | 'done' | 'failed'>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => setState('idle'), 2000);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setState('done'),
      () => setState('failed'),
    );
  };
  return (
    <button type="button" class="button plain copy" onClick={copy}>
      <span aria-live="polite">{state === 'done' ? 'Copied' : state === 'failed' ? 'Not allowed' : label}</span>
    </button>
  );
}
