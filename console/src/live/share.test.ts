// Tabs of one browser in one process: a lock, a channel, a clock and a server, all simulated.
import { beforeEach, describe, expect, it } from 'vitest';
import { backoffMs } from './backoff';
import { kBatchMs, kDevicesMax, kSilenceMaxMs, LiveShare, type Channel, type LiveState, type Message } from './share';

class Clock {
  now = 1_000_000;
  private due: { at: number; run: () => void }[] = [];
  after = (ms: number, run: () => void) => {
    const entry = { at: this.now + ms, run };
    this.due.push(entry);
    return () => void (this.due = this.due.filter((d) => d !== entry));
  };
  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await settle();
      const next = this.due.filter((d) => d.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.due = this.due.filter((d) => d !== next);
      this.now = next.at;
      next.run();
    }
    this.now = end;
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
  await new Promise((r) => setImmediate(r));
}

/** The Web Locks API as far as it is used: one lock, a queue, stealing. */
class Locks {
  holder: { reject: (e: Error) => void } | null = null;
  private queue: { work: () => Promise<void>; resolve: () => void; reject: (e: Error) => void; signal: AbortSignal }[] = [];
  request = (work: () => Promise<void>, steal: boolean, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const entry = { work, resolve, reject, signal };
      if (steal) {
        this.holder?.reject(new DOMException('stolen', 'AbortError'));
        this.holder = null;
        this.queue.unshift(entry);
      } else {
        this.queue.push(entry);
        signal.addEventListener('abort', () => {
          if (!this.queue.includes(entry)) return;
          this.queue = this.queue.filter((e) => e !== entry);
          reject(new DOMException('aborted', 'AbortError'));
        });
      }
      this.next();
    });
  private next(): void {
    if (this.holder) return;
    const entry = this.queue.shift();
    if (!entry) return;
    const mine = { reject: entry.reject };
    this.holder = mine;
    void Promise.resolve()
      .then(entry.work)
      .then(entry.resolve, entry.reject)
      .finally(() => {
        if (this.holder === mine) this.holder = null;
        this.next();
      });
  }
}

class Server {
  status = 200;
  down = false;
  /** Bytes are accepted but nothing is sent: a dead connection that nobody closed. */
  open: { url: string; lastId: string | null; controller: ReadableStreamDefaultController<Uint8Array> }[] = [];
  asked: string[] = [];
  fetch = (url: string, init: RequestInit): Promise<Response> => {
    this.asked.push(url);
    if (this.down) return Promise.reject(new TypeError('refused'));
    if (this.status !== 200) return Promise.resolve(new Response('{}', { status: this.status }));
    const lastId = (init.headers as Record<string, string>)['Last-Event-ID'] ?? null;
    let entry: Server['open'][number];
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        entry = { url, lastId, controller };
        this.open.push(entry);
      },
    });
    init.signal?.addEventListener('abort', () => {
      this.open = this.open.filter((o) => o !== entry);
      try {
        entry.controller.error(new DOMException('aborted', 'AbortError'));
      } catch {
        // Closed before.
      }
    });
    return Promise.resolve(new Response(body));
  };
  send(text: string): void {
    for (const o of this.open) o.controller.enqueue(new TextEncoder().encode(text));
  }
  cut(): void {
    for (const o of this.open.splice(0)) o.controller.close();
  }
}

interface Tab {
  share: LiveShare;
  got: string[];
  states: LiveState[];
  hidden: boolean;
  freeze(): void;
}

let clock: Clock;
let locks: Locks;
let server: Server;
let channels: { tab: string; handler: ((m: Message) => void) | null; deaf: boolean }[];

beforeEach(() => {
  clock = new Clock();
  locks = new Locks();
  server = new Server();
  channels = [];
});

function openTab(name: string, devices: 'all' | string[] = 'all'): Tab {
  const line = { tab: name, handler: null as ((m: Message) => void) | null, deaf: false };
  channels.push(line);
  const channel: Channel = {
    post: (m) => {
      const copy = structuredClone(m);
      if (line.deaf) return;
      queueMicrotask(() => channels.forEach((c) => c !== line && !c.deaf && c.handler?.(copy)));
    },
    listen: (h) => (line.handler = h),
    close: () => (line.deaf = true),
  };
  const tab: Tab = { got: [], states: [], hidden: false } as unknown as Tab;
  tab.share = new LiveShare(
    '/v1/stream',
    {
      tab: name,
      channel,
      lock: locks.request,
      fetch: server.fetch,
      after: clock.after,
      now: () => clock.now,
      random: () => 0.5,
      hidden: () => tab.hidden,
    },
    {
      onEvents: (events) => tab.got.push(...events.map((e) => e.data)),
      onState: (state) => tab.states.at(-1) !== state && tab.states.push(state),
    },
  );
  // A frozen tab: hidden, it holds its lock, hears and says nothing.
  tab.freeze = () => {
    line.deaf = true;
    tab.hidden = true;
  };
  tab.share.setInterest(devices);
  tab.share.start();
  return tab;
}

describe('one stream for all tabs', () => {
  it('the first tab streams, the others hear', async () => {
    const tabs = ['a', 'b', 'c'].map((n) => openTab(n));
    await clock.advance(0);
    expect(server.open).toHaveLength(1);
    server.send('id: 1\ndata: x\n\n');
    await clock.advance(kBatchMs);
    expect(tabs.map((t) => t.got)).toEqual([['x'], ['x'], ['x']]);
    expect(tabs.map((t) => t.states.at(-1))).toEqual(['live', 'live', 'live']);
  });

  it('events go out in batches, at once when the leader is hidden', async () => {
    const a = openTab('a');
    await clock.advance(0);
    server.send('id: 1\ndata: x\n\n');
    await settle();
    expect(a.got).toEqual([]);
    await clock.advance(kBatchMs);
    expect(a.got).toEqual(['x']);
    a.hidden = true;
    server.send('id: 2\ndata: y\n\n');
    await settle();
    expect(a.got).toEqual(['x', 'y']);
  });

  it('when the leader closes, the next goes on where it was: no gap, no repeat', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((n) => openTab(n)) as [Tab, Tab, Tab];
    await clock.advance(0);
    server.send('id: 41\ndata: x\n\n');
    await clock.advance(kBatchMs);
    a.share.stop();
    await clock.advance(0);
    expect(server.open.map((o) => o.lastId)).toEqual(['41']);
    server.send('id: 42\ndata: y\n\n');
    await clock.advance(kBatchMs);
    expect([b.got, c.got]).toEqual([['x', 'y'], ['x', 'y']]);
    expect(a.got).toEqual(['x']);
  });

  it('a cut is resumed after a pause, with the last id', async () => {
    const a = openTab('a');
    await clock.advance(0);
    server.send('id: 5\ndata: x\n\n');
    await clock.advance(kBatchMs);
    server.cut();
    await clock.advance(0);
    expect(a.states.at(-1)).toBe('stale');
    await clock.advance(2_000);
    expect(server.open.map((o) => o.lastId)).toEqual(['5']);
    expect(a.states.at(-1)).toBe('live');
  });

  it('a server that is away is asked ever more rarely', async () => {
    server.down = true;
    openTab('a');
    await clock.advance(120_000);
    const before = server.asked.length;
    expect(before).toBeGreaterThan(5);
    await clock.advance(120_000);
    expect(server.asked.length - before).toBeLessThanOrEqual(9);
    server.down = false;
    await clock.advance(30_000);
    expect(server.open).toHaveLength(1);
  });

  it('silence beyond three heartbeats is a dead connection', async () => {
    const a = openTab('a');
    await clock.advance(0);
    for (let i = 0; i < 4; i++) {
      await clock.advance(15_000);
      server.send(': heartbeat\n\n');
    }
    await clock.advance(0);
    expect(a.states).toEqual(['live']);
    await clock.advance(kSilenceMaxMs + 5_000);
    expect(a.states).toContain('stale');
    expect(server.asked.length).toBeGreaterThan(1);
  });

  it('a leader that froze is robbed of its lock', async () => {
    const a = openTab('a');
    const b = openTab('b');
    await clock.advance(0);
    expect(server.asked).toHaveLength(1);
    a.freeze();
    await clock.advance(kSilenceMaxMs * 2 + 1_000);
    expect(b.states.at(-1)).toBe('live');
    const heard = b.got.length;
    server.send('id: 9\ndata: z\n\n');
    await clock.advance(kBatchMs);
    expect(b.got.slice(heard)).toContain('z');
  });
});

describe('refusals', () => {
  it('401 ends the stream for all tabs and is not asked again', async () => {
    server.status = 401;
    const a = openTab('a');
    const b = openTab('b');
    await clock.advance(0);
    const asked = server.asked.length;
    await clock.advance(120_000);
    expect([a.states.at(-1), b.states.at(-1)]).toEqual(['signed-out', 'signed-out']);
    expect(server.asked.length).toBe(asked);
    expect(asked).toBeLessThanOrEqual(2);
  });
  it('403 says that there is no permission', async () => {
    server.status = 403;
    const a = openTab('a');
    await clock.advance(60_000);
    expect(a.states.at(-1)).toBe('forbidden');
  });
});

describe('interest', () => {
  it('of all tabs together is what is asked for', async () => {
    const a = openTab('a', ['dev_1']);
    openTab('b', ['dev_2', 'dev_1']);
    await clock.advance(0);
    expect(server.open.map((o) => o.url)).toEqual(['/v1/stream?device_id=dev_1&device_id=dev_2']);
    a.share.setInterest('all');
    await clock.advance(0);
    expect(server.open.map((o) => o.url)).toEqual(['/v1/stream']);
  });
  it('that narrows keeps the place in the stream and shows no outage', async () => {
    const a = openTab('a', ['dev_1']);
    await clock.advance(0);
    server.send('id: 3\ndata: x\n\n');
    await clock.advance(kBatchMs);
    a.share.setInterest(['dev_2']);
    await clock.advance(0);
    expect(server.open).toMatchObject([{ url: '/v1/stream?device_id=dev_2', lastId: '3' }]);
    expect(a.states).toEqual(['live']);
  });
  it('of a tab that closed is forgotten', async () => {
    openTab('a', ['dev_1']);
    const b = openTab('b', ['dev_2']);
    await clock.advance(0);
    b.share.stop();
    await clock.advance(0);
    expect(server.open.map((o) => o.url)).toEqual(['/v1/stream?device_id=dev_1']);
  });
  it('in nothing opens no stream until there is one', async () => {
    const a = openTab('a', []);
    await clock.advance(10_000);
    expect(server.asked).toEqual([]);
    a.share.setInterest(['dev_1']);
    await clock.advance(0);
    expect(server.open).toHaveLength(1);
  });
  it('in more than the contract takes asks for all', async () => {
    openTab('a', Array.from({ length: kDevicesMax + 1 }, (_, i) => `dev_${i}`));
    await clock.advance(0);
    expect(server.open.map((o) => o.url)).toEqual(['/v1/stream']);
  });
});

it('backoff spreads over the doubling limit and stays under half a minute', () => {
  expect(backoffMs(0, () => 0.999)).toBe(999);
  expect(backoffMs(3, () => 0.5)).toBe(4_000);
  expect(backoffMs(1_000, () => 0.999999)).toBeLessThan(30_000);
  expect(backoffMs(5, () => 0)).toBe(0);
});
