// The filter field: coloured words behind a transparent input, a list of completions, and the error
// under it. An ARIA combobox with a list (APG), focused by `/`.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { complete, kFilterMax, tokens, type FilterError, type Values } from '../../lib/filter';
import { shortcuts } from '../../state/settings';

interface Props {
  text: string;
  errors: FilterError[];
  values: Values;
  onChange: (text: string) => void;
}

function Coloured({ text, errors }: { text: string; errors: FilterError[] }) {
  const parts: preact.ComponentChildren[] = [];
  let at = 0;
  const wrong = (start: number) => (errors.some((e) => e.start === start) ? ' wrong' : '');
  for (const token of tokens(text)) {
    if (token.start > at) parts.push(text.slice(at, token.start));
    const word = text.slice(token.start, token.end);
    const colon = word.indexOf(':');
    if (token.kind === 'pair' && colon >= 0) {
      parts.push(
        <span key={token.start} class={`word${wrong(token.start)}`}>
          <span class="key">{word.slice(0, colon + 1)}</span>
          {word.slice(colon + 1)}
        </span>,
      );
    } else {
      const kind = token.kind === 'online' || token.kind === 'offline' ? 'flag' : 'free';
      parts.push(
        <span key={token.start} class={`word ${kind}${wrong(token.start)}`}>
          {word}
        </span>,
      );
    }
    at = token.end;
  }
  parts.push(text.slice(at));
  return <>{parts}</>;
}

/** `/` anywhere but in a field or dialog puts the caret here. */
function useSlash(input: { current: HTMLInputElement | null }): void {
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (e.key !== '/' || e.ctrlKey || e.metaKey || e.altKey || shortcuts.value === 'off') return;
      const target = e.target;
      if (target instanceof HTMLElement && target.closest('input, textarea, select, dialog, [contenteditable]')) return;
      e.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener('keydown', key);
    return () => document.removeEventListener('keydown', key);
  }, []);
}

export function FilterField({ text, errors, values, onChange }: Props) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const shadow = useRef<HTMLDivElement>(null);
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  useSlash(input);

  const options = open ? complete(text, caret, values) : [];
  const follow = () => {
    const field = input.current;
    if (!field) return;
    setCaret(field.selectionStart ?? field.value.length);
    if (shadow.current) shadow.current.scrollLeft = field.scrollLeft;
  };
  const take = (index: number) => {
    const option = options[index];
    if (!option) return;
    onChange(option.text);
    setChosen(-1);
    requestAnimationFrame(() => {
      input.current?.setSelectionRange(option.caret, option.caret);
      follow();
    });
  };
  const key = (e: KeyboardEvent) => {
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      e.preventDefault();
      setOpen(true);
      const step = e.key === 'ArrowDown' ? 1 : -1;
      if (options.length > 0) setChosen((chosen + step + options.length + (chosen < 0 && step < 0 ? 1 : 0)) % options.length);
    } else if ((e.key === 'Enter' || e.key === 'Tab') && chosen >= 0) {
      e.preventDefault();
      take(chosen);
    } else if (e.key === 'Enter') setOpen(false);
    else if (e.key === 'Escape') {
      if (open && options.length > 0) setOpen(false);
      else if (text !== '') onChange('');
      setChosen(-1);
    }
  };
  // An error is told when the person has left the word, not while it is typed.
  const told = errors.filter((e) => !open || caret < e.start || caret > e.end);
  return (
    <div class="filter">
      <div class={`filter-box${told.length > 0 ? ' wrong' : ''}`}>
        <div ref={shadow} class="filter-shadow" aria-hidden="true">
          <Coloured text={text} errors={told} />
        </div>
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-label="Filter devices"
          aria-expanded={options.length > 0}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
          aria-invalid={told.length > 0 || undefined}
          aria-describedby={told.length > 0 ? `${id}-error` : undefined}
          placeholder="name, id, tag or address; state: type: site: tag: online"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          maxLength={kFilterMax}
          value={text}
          onInput={(e) => {
            onChange(e.currentTarget.value);
            setOpen(true);
            setChosen(-1);
            follow();
          }}
          onKeyDown={key}
          onKeyUp={follow}
          onClick={follow}
          onScroll={follow}
          onFocus={() => {
            setOpen(true);
            follow();
          }}
          onBlur={() => setOpen(false)}
        />
        {shortcuts.value === 'on' ? <kbd aria-hidden="true">/</kbd> : null}
      </div>
      <ul id={`${id}-list`} role="listbox" aria-label="Completions" class="completions" hidden={options.length === 0}>
        {options.map((option, i) => (
          <li
            key={option.label}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === chosen}
            onPointerDown={(e) => {
              e.preventDefault();
              take(i);
            }}
          >
            {option.label}
          </li>
        ))}
      </ul>
      {told.length > 0 ? (
        <p id={`${id}-error`} class="error" role="status">
          {told[0]?.message}
        </p>
      ) : null}
    </div>
  );
}
