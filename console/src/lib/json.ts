// JSON as people type it: where it breaks in words, and differences for the twin. Pure.
export type Parsed = { ok: true; value: unknown } | { ok: false; message: string };

export const kTwinBytesMax = 65_536;

/** Line and column of a character, from 1. */
function lineAt(text: string, at: number): string {
  const before = text.slice(0, at).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}

export function parseJson(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const at = message.match(/position (\d+)/)?.[1];
    if (at !== undefined) return { ok: false, message: `Not JSON at ${lineAt(text, Number(at))}.` };
    return { ok: false, message: text.trim() === '' ? 'Nothing here yet.' : 'Not JSON: it ends too early or has a stray character.' };
  }
}

/** A JSON object within the contract's size, or what is wrong. */
export function parseObject(text: string): { ok: true; value: Record<string, unknown> } | { ok: false; message: string } {
  const parsed = parseJson(text);
  if (!parsed.ok) return parsed;
  if (typeof parsed.value !== 'object' || parsed.value === null || Array.isArray(parsed.value)) {
    return { ok: false, message: 'It must be an object: { … }.' };
  }
  const size = new TextEncoder().encode(text).length;
  if (size > kTwinBytesMax) return { ok: false, message: `${size} bytes; at most ${kTwinBytesMax}.` };
  return { ok: true, value: parsed.value as Record<string, unknown> };
}

export function pretty(value: unknown): string {
  return JSON.stringify(value ?? null, null, 2);
}

/** On one line, cut when long. */
export function brief(value: unknown, charactersMax = 120): string {
  const text = JSON.stringify(value);
  if (text === undefined) return '–';
  return text.length > charactersMax ? `${text.slice(0, charactersMax - 1)}…` : text;
}
