// Times, durations and figures as people read them. Pure: the caller passes `now` in milliseconds.
// Times are shown in the browser's zone; the full one is in the element's title.

const kSecond = 1000;
const kMinute = 60 * kSecond;
const kHour = 60 * kMinute;
export const kDay = 24 * kHour;

/** Milliseconds of an RFC 3339 time; microseconds are cut. NaN for what is no time. */
export function millis(time: string): number {
  return Date.parse(time);
}

function two(n: number): string {
  return n < 10 ? `0${n}` : String(n);
}

export function clock(ms: number): string {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}`;
}

export function clockSeconds(ms: number): string {
  return `${clock(ms)}:${two(new Date(ms).getSeconds())}`;
}

const kMonths = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function dayMonth(ms: number): string {
  const d = new Date(ms);
  return `${d.getDate()} ${kMonths[d.getMonth()]}`;
}

function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

/** "14:02" today, "12 Mar 14:02" this year, "12 Mar 2024" before. */
export function moment(ms: number, now: number): string {
  if (sameDay(ms, now)) return clock(ms);
  if (new Date(ms).getFullYear() === new Date(now).getFullYear()) return `${dayMonth(ms)} ${clock(ms)}`;
  return `${dayMonth(ms)} ${new Date(ms).getFullYear()}`;
}

/** "Today", "Yesterday" or the date: heads groups of a timeline. */
export function dayName(ms: number, now: number): string {
  if (sameDay(ms, now)) return 'Today';
  if (sameDay(ms, now - kDay)) return 'Yesterday';
  const year = new Date(ms).getFullYear();
  return year === new Date(now).getFullYear() ? dayMonth(ms) : `${dayMonth(ms)} ${year}`;
}

/** The two largest units that matter: "3 d 4 h", "12 min", "40 s". Negative counts as zero. */
export function duration(ms: number): string {
  const t = Math.max(0, ms);
  if (t < kMinute) return `${Math.floor(t / kSecond)} s`;
  if (t < kHour) return `${Math.floor(t / kMinute)} min`;
  if (t < kDay) {
    const minutes = Math.floor((t % kHour) / kMinute);
    return `${Math.floor(t / kHour)} h${minutes ? ` ${minutes} min` : ''}`;
  }
  const days = Math.floor(t / kDay);
  const hours = Math.floor((t % kDay) / kHour);
  return days < 30 && hours ? `${days} d ${hours} h` : `${days} d`;
}

/** One unit only, for columns: "2 h ago", "now" within two seconds. */
export function ago(ms: number, now: number): string {
  const t = now - ms;
  if (t < 2 * kSecond) return 'now';
  if (t < kMinute) return `${Math.floor(t / kSecond)} s ago`;
  if (t < kHour) return `${Math.floor(t / kMinute)} min ago`;
  if (t < 3 * kDay) return `${Math.floor(t / kHour)} h ago`;
  return `${Math.floor(t / kDay)} d ago`;
}

const kWhole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export function count(n: number): string {
  return kWhole.format(n);
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Three significant digits, never an exponent where a person reads on: 0.042, 4.21, 68, 1,284. */
export function figure(n: number): string {
  if (!Number.isFinite(n)) return '–';
  const size = Math.abs(n);
  if (size === 0) return '0';
  if (size >= 100) return kWhole.format(n);
  if (size < 0.001) return n.toExponential(1);
  const digits = size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return String(Number(n.toFixed(digits)));
}

/** Bytes in powers of 1024, as memory and disks are told. */
export function bytes(n: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let size = Math.abs(n);
  let at = 0;
  while (size >= 1024 && at < names.length - 1) {
    size /= 1024;
    at += 1;
  }
  return `${n < 0 ? '−' : ''}${figure(size)} ${names[at]}`;
}

/** Colons between octets, so that a serial can be compared by eye; long ones are cut in the middle. */
export function serial(hex: string, octetsMax = 20): string {
  const octets = hex.toUpperCase().match(/.{1,2}/g) ?? [];
  if (octets.length <= octetsMax) return octets.join(':');
  const half = Math.floor(octetsMax / 2);
  return `${octets.slice(0, half).join(':')}…${octets.slice(-half).join(':')}`;
}
