// A dialog that is one form: what failed stands above the foot, Enter sends it.
import type { ComponentChildren, JSX } from 'preact';
import { TextField } from './basics';
import { Dialog, DialogFoot } from './dialog';
import { ProblemView } from './states';

interface Props {
  title: string;
  act: string;
  kind?: 'primary' | 'danger';
  /** What is under way: its state and its failure are shown. */
  work: { isPending: boolean; isError: boolean; error: unknown };
  disabled?: boolean;
  onSubmit: () => void;
  onClose: () => void;
  children: ComponentChildren;
  /** What else can be done about a failure. */
  mend?: ComponentChildren;
}

export function FormDialog({ title, act, kind = 'primary', work, disabled = false, onSubmit, onClose, children, mend }: Props) {
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          onSubmit();
        }}
      >
        {children}
        {work.isError ? <ProblemView error={work.error} /> : null}
        {mend}
        <DialogFoot act={act} kind={kind} busy={work.isPending} disabled={disabled} onClose={onClose} />
      </form>
    </Dialog>
  );
}

interface FieldProps {
  value: string;
  error: string | undefined;
  onInput: (value: string) => void;
}

/** The name of a device, a site: what everything that is named alike takes. */
export function NameField({ value, error, onInput, ...rest }: FieldProps & { hint?: string; required?: boolean; autofocus?: boolean }) {
  const typed = (e: JSX.TargetedInputEvent<HTMLInputElement>) => onInput(e.currentTarget.value);
  return <TextField label="Name" maxLength={128} {...rest} value={value} error={error} onInput={typed} />;
}

export function TagsField({ value, error, onInput }: FieldProps) {
  return (
    <TextField
      label="Tags"
      hint="key or key=value, separated by commas"
      spellcheck={false}
      autocapitalize="off"
      value={value}
      error={error}
      onInput={(e) => onInput(e.currentTarget.value)}
    />
  );
}
