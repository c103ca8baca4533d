// Tags as people type them: `key` or `key=value`. The rules are the contract's TagKey and Tags.
const kKey = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const kTagValueMax = 256;
export const kTagsMax = 64;

export interface Tag {
  key: string;
  value: string;
}

/** The tag, or what is wrong with it as a sentence. */
export function parseTag(text: string): Tag | string {
  const at = text.indexOf('=');
  const key = (at < 0 ? text : text.slice(0, at)).trim();
  const value = at < 0 ? '' : text.slice(at + 1).trim();
  if (key === '') return 'A tag needs a key.';
  if (!kKey.test(key)) return `“${key}” is no key: letters, digits, dot, hyphen and underscore, at most 64, no space.`;
  if (value.length > kTagValueMax) return `The value of “${key}” is longer than ${kTagValueMax} characters.`;
  return { key, value };
}

export function tagText(key: string, value: string): string {
  return value === '' ? key : `${key}=${value}`;
}

/** Tags from a list separated by commas or line breaks; the later of two with one key counts. */
export function parseTags(text: string): { tags: Record<string, string>; errors: string[] } {
  const tags: Record<string, string> = {};
  const errors: string[] = [];
  for (const part of text.split(/[,\n]/)) {
    if (part.trim() === '') continue;
    const tag = parseTag(part.trim());
    if (typeof tag === 'string') errors.push(tag);
    else tags[tag.key] = tag.value;
  }
  if (Object.keys(tags).length > kTagsMax) errors.push(`At most ${kTagsMax} tags.`);
  return { tags, errors };
}

export function tagsText(tags: Record<string, string>): string {
  return Object.entries(tags)
    .map(([key, value]) => tagText(key, value))
    .join(', ');
}
