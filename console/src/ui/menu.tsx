// A small menu of buttons under a button. <details> opens and closes it; a click elsewhere, Escape, or
// a choice closes it and gives the focus back.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export function Menu({ label, up = false, className = 'button plain', children }: {
  label: ComponentChildren;
  up?: boolean;
  className?: string;
  children: ComponentChildren;
}) {
  const element = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (refocus: boolean) => {
      const details = element.current;
      if (!details?.open) return;
      details.open = false;
      if (refocus) details.querySelector('summary')?.focus();
    };
    const outside = (e: Event) => {
      if (e.target instanceof Node && !element.current?.contains(e.target)) close(false);
    };
    const escape = (e: KeyboardEvent) => {
      if (e.key === 'Escape' && element.current?.contains(document.activeElement)) close(true);
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('keydown', escape);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('keydown', escape);
    };
  }, []);
  return (
    <details ref={element} class={`menu${up ? ' up' : ''}`}>
      <summary class={className}>{label}</summary>
      <div class="menu-list">{children}</div>
    </details>
  );
}

export function MenuItem({ onChoose, danger = false, children }: {
  onChoose: () => void;
  danger?: boolean;
  children: ComponentChildren;
}) {
  return (
    <button
      type="button"
      class={`menu-item${danger ? ' danger' : ''}`}
      onClick={(e) => {
        const details = e.currentTarget.closest('details');
        if (details) {
          details.open = false;
          // A dialog that opens now gives the focus back to what had it: not to an item that is hidden.
          details.querySelector('summary')?.focus();
        }
        onChoose();
      }}
    >
      {children}
    </button>
  );
}

/** One of several values, as radio buttons in a menu. */
export function Choice<T extends string>({ legend, value, options, onChoose }: {
  legend: string;
  value: T;
  options: readonly { value: T; label: string }[];
  onChoose: (value: T) => void;
}) {
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      {options.map((o) => (
        <label key={o.value}>
          <input type="radio" name={legend} checked={o.value === value} onChange={() => onChoose(o.value)} />
          {o.label}
        </label>
      ))}
    </fieldset>
  );
}
