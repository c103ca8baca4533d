// The set-up link carries its secret in the fragment, which no request and no server log ever holds.
/** The secret of `#secret` or `#secret=...`; null when there is none. */
export function secretOf(fragment: string): string | null {
  const text = fragment.replace(/^#/, '');
  if (text === '') return null;
  const value = text.startsWith('secret=') ? text.slice('secret='.length) : text;
  try {
    const secret = decodeURIComponent(value).trim();
    return secret === '' || secret.length > 128 ? null : secret;
  } catch {
    return null;
  }
}

export const kPasswordMin = 12;

export function passwordHint(password: string): string {
  if (password.length === 0) return `At least ${kPasswordMin} characters; a sentence is good.`;
  const missing = kPasswordMin - password.length;
  return missing > 0 ? `${missing} more` : 'Long enough.';
}
