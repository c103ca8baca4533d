// Server-sent events over fetch (WHATWG HTML 9.2), because EventSource hides the status and holds one
// connection a tab. The parser takes text in any pieces and is bounded.
export interface SseEvent {
  /** Last id seen, as the standard carries it over; '' before the first. */
  id: string;
  event: string;
  data: string;
}

/** Characters of one event or of an unfinished line; more means that this is no event stream. */
export const kEventMax = 1 << 20;

export class SseParser {
  private rest = '';
  private data: string[] = [];
  private size = 0;
  private event = '';
  private id = '';

  /** Events that end in this piece. Throws RangeError when one grows beyond kEventMax. */
  push(piece: string): SseEvent[] {
    const found: SseEvent[] = [];
    const text = this.rest + piece;
    let start = 0;
    for (;;) {
      const end = this.lineEnd(text, start);
      if (end === null) break;
      this.line(text.slice(start, end.at), found);
      start = end.next;
    }
    this.rest = text.slice(start);
    if (this.rest.length + this.size > kEventMax) throw new RangeError('event too long');
    return found;
  }

  /** A CR at the very end may be half of CRLF, so it waits for the next piece. */
  private lineEnd(text: string, start: number): { at: number; next: number } | null {
    for (let i = start; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === 10) return { at: i, next: i + 1 };
      if (c === 13) {
        if (i + 1 === text.length) return null;
        return { at: i, next: text.charCodeAt(i + 1) === 10 ? i + 2 : i + 1 };
      }
    }
    return null;
  }

  private line(line: string, found: SseEvent[]): void {
    if (line === '') {
      if (this.data.length > 0) {
        found.push({ id: this.id, event: this.event || 'message', data: this.data.join('\n') });
      }
      this.data = [];
      this.size = 0;
      this.event = '';
      return;
    }
    if (line.startsWith(':')) return;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (field === 'data') {
      this.size += value.length;
      if (this.size > kEventMax) throw new RangeError('event too long');
      this.data.push(value);
    } else if (field === 'event') this.event = value;
    else if (field === 'id' && !value.includes('\0')) this.id = value;
  }
}

export interface StreamHandlers {
  onEvents(events: SseEvent[]): void;
  /** Any bytes at all, heartbeats included: proof that the server is there. */
  onBytes(): void;
}

/** Reads a response to its end. Resolves when the server closes it, rejects when it breaks. */
export async function readEvents(response: Response, handlers: StreamHandlers): Promise<void> {
  if (!response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      handlers.onBytes();
      const events = parser.push(decoder.decode(value, { stream: true }));
      if (events.length > 0) handlers.onEvents(events);
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
