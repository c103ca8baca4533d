// A modal on the native <dialog>: focus trap, Escape and inert background come from the browser.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Button } from './basics';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      class="dialog"
      aria-labelledby={id}
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

/** The foot of a dialog's form: the act on the right, the way out beside it. */
export function DialogFoot({ act, kind = 'primary', busy = false, disabled = false, onClose }: {
  act: string;
  kind?: 'primary' | 'danger';
  busy?: boolean;
  disabled?: boolean;
  onClose: () => void;
}) {
  return (
    <div class="dialog-foot">
      <Button onClick={onClose}>Cancel</Button>
      <Button kind={kind} type="submit" busy={busy} disabled={disabled}>
        {act}
      </Button>
    </div>
  );
}
