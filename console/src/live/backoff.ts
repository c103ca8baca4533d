// Full jitter: a random time between 0 and the doubling limit, so that a thousand consoles do not come
// back in one second after a restart of the server.
const kFirstMs = 1_000;
const kLongestMs = 30_000;

export function backoffMs(failures: number, random: () => number): number {
  const limit = Math.min(kLongestMs, kFirstMs * 2 ** Math.min(failures, 10));
  return Math.floor(random() * limit);
}
