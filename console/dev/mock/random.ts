// Generated data must be the same in each run: a small seeded generator (mulberry32) and what grows on it.
export class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed >>> 0;
  }
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
}

const kAlphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** An id of the contract: prefix and 26 characters of Crockford base32. */
export function makeId(prefix: string, random: Random): string {
  let text = '';
  for (let i = 0; i < 26; i++) text += kAlphabet[i === 0 ? random.below(8) : random.below(32)];
  return `${prefix}_${text}`;
}

export function hex(octets: number, random: Random): string {
  let text = '';
  for (let i = 0; i < octets * 2; i++) text += '0123456789abcdef'[random.below(16)];
  return text;
}
