// One event stream for all tabs of a browser: the tab that holds the Web Lock streams, the others hear
// it over a BroadcastChannel. HTTP/1.1 gives a browser six connections a server; a stream for each tab
// would block the seventh. Whoever takes over resumes after the last id that it heard.
//
// One owner: the tab's main thread. All that reaches outside is passed in, so that it runs in a test.
import { backoffMs } from './backoff';
import { readEvents, type SseEvent } from './sse';

export type LiveState = 'connecting' | 'live' | 'stale' | 'signed-out' | 'forbidden';

/** Ids of devices that a tab shows, or all of them. */
export type Interest = 'all' | string[];

export interface Message {
  kind: 'batch' | 'beat' | 'state' | 'interest' | 'who' | 'bye';
  from: string;
  events?: SseEvent[];
  state?: LiveState;
  interest?: Interest;
}

export interface Channel {
  post(message: Message): void;
  listen(handler: (message: Message) => void): void;
  close(): void;
}

export interface Surroundings {
  tab: string;
  channel: Channel;
  /** Runs `work` once this tab holds the lock, until the promise ends; `steal` takes it by force. */
  lock(work: () => Promise<void>, steal: boolean, signal: AbortSignal): Promise<void>;
  fetch(url: string, init: RequestInit): Promise<Response>;
  after(ms: number, run: () => void): () => void;
  now(): number;
  random(): number;
  hidden(): boolean;
}

export interface LiveHandlers {
  onEvents(events: SseEvent[]): void;
  onState(state: LiveState, heardAt: number | null): void;
}

/** The server sends a comment each 15 s; three missed ones mean that the connection is dead. */
export const kSilenceMaxMs = 45_000;
/** At most four batches a second reach a page. */
export const kBatchMs = 250;
/** Events held back for one batch; more are sent at once. */
export const kBatchMax = 500;
/** The contract's bound on device_id of the stream. */
export const kDevicesMax = 200;
/** Tabs whose interest is remembered; one more and all is streamed. */
export const kTabsMax = 50;

export class LiveShare {
  private leading = false;
  private stopped = false;
  private state: LiveState = 'connecting';
  private heardAt: number | null = null;
  private lastId = '';
  private mine: Interest = [];
  private others = new Map<string, Interest>();
  private held: SseEvent[] = [];
  private cancelFlush: (() => void) | null = null;
  private cancelWatch: (() => void) | null = null;
  private connection: AbortController | null = null;
  /** What the open connection asked for; null while there is none. */
  private asked: Interest | null = null;
  private waiting = new AbortController();
  private wake: () => void = () => undefined;

  constructor(
    private readonly url: string,
    private readonly world: Surroundings,
    private readonly handlers: LiveHandlers,
  ) {}

  start(): void {
    this.world.channel.listen((message) => this.hear(message));
    this.world.channel.post({ kind: 'who', from: this.world.tab });
    this.seek(false);
    this.watch();
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.world.channel.post({ kind: 'bye', from: this.world.tab });
    this.cancelFlush?.();
    this.cancelWatch?.();
    this.connection?.abort();
    this.waiting.abort();
    this.wake();
    this.world.channel.close();
  }

  /** Which devices this tab wants to hear of. Readings of others cost nothing. */
  setInterest(interest: Interest): void {
    if (same(this.mine, interest)) return;
    this.mine = interest;
    this.world.channel.post({ kind: 'interest', from: this.world.tab, interest });
    this.narrow();
  }

  // ---- who leads

  private seek(steal: boolean): void {
    // A request of ours that still waits would be granted after the robbery, a second time.
    this.waiting.abort();
    const waiting = new AbortController();
    this.waiting = waiting;
    const lead = async () => {
      this.leading = true;
      // Interests live in the leader; a new one asks for them.
      this.world.channel.post({ kind: 'who', from: this.world.tab });
      await this.lead();
      this.leading = false;
    };
    this.world.lock(lead, steal, waiting.signal).catch(() => {
      if (this.waiting !== waiting || this.stopped) return;
      // Robbed by a tab that heard nothing for too long.
      this.leading = false;
      this.connection?.abort();
      this.wake();
      this.seek(false);
    });
  }

  private async lead(): Promise<void> {
    let failures = 0;
    while (!this.stopped && this.leading) {
      const asked = this.wanted();
      if (asked.length === 0) {
        // Nobody looks at a device. The server has no word for "none", so do not ask.
        await this.pause(null);
        continue;
      }
      const outcome = await this.connect(asked);
      if (outcome === 'signed-out' || outcome === 'forbidden') {
        this.announce(outcome);
        return;
      }
      if (this.stopped || !this.leading) return;
      if (outcome === 'narrowed') continue;
      failures = outcome === 'lived' ? 0 : failures + 1;
      if (this.state === 'live') this.announce('stale');
      await this.pause(backoffMs(failures, this.world.random));
    }
  }

  private async connect(asked: Interest): Promise<'lived' | 'failed' | 'narrowed' | 'signed-out' | 'forbidden'> {
    const connection = new AbortController();
    this.connection = connection;
    this.asked = asked;
    let lived = false;
    try {
      const response = await this.world.fetch(this.url + query(asked), {
        headers: { Accept: 'text/event-stream', ...(this.lastId ? { 'Last-Event-ID': this.lastId } : {}) },
        credentials: 'same-origin',
        cache: 'no-store',
        signal: connection.signal,
      });
      if (response.status === 401) return 'signed-out';
      if (response.status === 403) return 'forbidden';
      if (!response.ok) return 'failed';
      lived = true;
      this.beat();
      await readEvents(response, { onEvents: (events) => this.hold(events), onBytes: () => this.beat() });
    } catch {
      // Cut, refused, or aborted: the loop decides.
    } finally {
      connection.abort();
      this.asked = null;
      this.flush();
    }
    if (!this.stopped && !same(asked, this.wanted())) return 'narrowed';
    return lived ? 'lived' : 'failed';
  }

  /** Sleeps until the time is over or someone wakes it; null: until woken. */
  private pause(ms: number | null): Promise<void> {
    return new Promise((go) => {
      const cancel = ms === null ? null : this.world.after(ms, () => this.wake());
      this.wake = () => {
        this.wake = () => undefined;
        cancel?.();
        go();
      };
    });
  }

  // ---- what the leader wants

  private wanted(): Interest {
    const all = new Set<string>();
    if (this.others.size > kTabsMax) return 'all';
    for (const interest of [this.mine, ...this.others.values()]) {
      if (interest === 'all') return 'all';
      for (const id of interest) all.add(id);
    }
    // More than the contract takes: then the server sends all.
    return all.size > kDevicesMax ? 'all' : [...all].sort();
  }

  /** The stream is asked for anew when the wish changes; Last-Event-ID closes the gap. */
  private narrow(): void {
    if (!this.leading) return;
    if (this.asked === null) this.wake();
    else if (!same(this.wanted(), this.asked)) this.connection?.abort();
  }

  // ---- passing on

  private hold(events: SseEvent[]): void {
    this.held.push(...events);
    const id = events.at(-1)?.id;
    if (id) this.lastId = id;
    // A hidden tab's timers run once a minute: it passes on at once, for the sake of visible ones.
    if (this.world.hidden() || this.held.length >= kBatchMax) this.flush();
    else this.cancelFlush ??= this.world.after(kBatchMs, () => this.flush());
  }

  private flush(): void {
    this.cancelFlush?.();
    this.cancelFlush = null;
    if (this.held.length === 0) return;
    const events = this.held;
    this.held = [];
    this.world.channel.post({ kind: 'batch', from: this.world.tab, events });
    this.handlers.onEvents(events);
  }

  private beat(): void {
    this.alive();
    this.world.channel.post({ kind: 'beat', from: this.world.tab });
  }

  private announce(state: LiveState): void {
    this.world.channel.post({ kind: 'state', from: this.world.tab, state });
    this.set(state);
  }

  private hear(message: Message): void {
    if (this.stopped || message.from === this.world.tab) return;
    switch (message.kind) {
      case 'batch': {
        const id = message.events?.at(-1)?.id;
        if (id) this.lastId = id;
        this.alive();
        this.handlers.onEvents(message.events ?? []);
        break;
      }
      case 'beat':
        this.alive();
        break;
      case 'state':
        if (message.state) this.set(message.state);
        break;
      case 'who':
        this.world.channel.post({ kind: 'interest', from: this.world.tab, interest: this.mine });
        if (this.leading && this.state === 'live') this.world.channel.post({ kind: 'beat', from: this.world.tab });
        break;
      case 'interest':
        this.others.set(message.from, message.interest ?? []);
        this.narrow();
        break;
      case 'bye':
        this.others.delete(message.from);
        this.narrow();
        break;
    }
  }

  // ---- is it alive

  private alive(): void {
    this.heardAt = this.world.now();
    this.set('live');
    this.watch();
  }

  private set(state: LiveState): void {
    this.state = state;
    this.handlers.onState(state, this.heardAt);
  }

  /** Nothing for too long: the leader reconnects; another tab robs the lock of a leader that froze. */
  private watch(): void {
    this.cancelWatch?.();
    const patience = kSilenceMaxMs + (this.leading ? 0 : Math.floor(this.world.random() * kSilenceMaxMs));
    this.cancelWatch = this.world.after(patience, () => {
      if (this.state === 'live') this.set('stale');
      if (this.leading) this.connection?.abort();
      else if (!this.world.hidden() && this.state === 'stale') this.seek(true);
      this.watch();
    });
  }
}

function same(a: Interest, b: Interest): boolean {
  if (a === 'all' || b === 'all') return a === b;
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

function query(interest: Interest): string {
  if (interest === 'all') return '';
  return `?${interest.map((id) => `device_id=${encodeURIComponent(id)}`).join('&')}`;
}
