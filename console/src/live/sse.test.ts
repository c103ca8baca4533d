import { describe, expect, it } from 'vitest';
import { kEventMax, readEvents, SseParser, type SseEvent } from './sse';

const kStream = 'id: 7\nevent: device\ndata: {"a":1}\n\n: heartbeat\n\ndata: one\ndata:two\n\nid: 8\ndata: x\r\n\r\n';
const kEvents: SseEvent[] = [
  { id: '7', event: 'device', data: '{"a":1}' },
  { id: '7', event: 'message', data: 'one\ntwo' },
  { id: '8', event: 'message', data: 'x' },
];

describe('parser', () => {
  it('reads events, comments and several data lines', () => {
    expect(new SseParser().push(kStream)).toEqual(kEvents);
  });
  it('gives the same events however the bytes are cut', () => {
    for (let size = 1; size < 12; size++) {
      const parser = new SseParser();
      const found: SseEvent[] = [];
      for (let at = 0; at < kStream.length; at += size) found.push(...parser.push(kStream.slice(at, at + size)));
      expect(found).toEqual(kEvents);
    }
  });
  it('takes CR, LF and CRLF as line ends', () => {
    for (const end of ['\n', '\r', '\r\n']) {
      // What follows shows that the last CR was not half of a CRLF.
      const text = ['id: 1', 'data: x', '', ': end'].join(end) + end;
      expect(new SseParser().push(`${text}:`)).toEqual([{ id: '1', event: 'message', data: 'x' }]);
    }
  });
  it('drops an event without data, an unknown field and an id with NUL', () => {
    expect(new SseParser().push('event: a\n\nretry: 5\nfoo: bar\nid: a\0b\ndata\n\n')).toEqual([
      { id: '', event: 'message', data: '' },
    ]);
  });
  it('does not grow without end', () => {
    const line = new SseParser();
    expect(() => line.push('x'.repeat(kEventMax + 1))).toThrow(RangeError);
    const event = new SseParser();
    const piece = `data: ${'x'.repeat(64_000)}\n`;
    expect(() => {
      for (let i = 0; i < 20; i++) event.push(piece);
    }).toThrow(RangeError);
  });
  it('is not stopped by foreign bytes', () => {
    const parser = new SseParser();
    let state = 1;
    for (let i = 0; i < 2_000; i++) {
      state = (state * 1103515245 + 12345) & 0x7fffffff;
      parser.push(String.fromCharCode(state % 128) + (state % 7 === 0 ? '\n\n' : ''));
    }
    parser.push('\n\n');
    expect(parser.push('data: still here\n\n').at(-1)?.data).toBe('still here');
  });
});

describe('reading a response', () => {
  function response(chunks: (string | Error)[]): Response {
    const encoder = new TextEncoder();
    return new Response(
      new ReadableStream({
        pull(controller) {
          const next = chunks.shift();
          if (next === undefined) controller.close();
          else if (next instanceof Error) controller.error(next);
          else controller.enqueue(encoder.encode(next));
        },
      }),
    );
  }
  it('tells of every byte, and of events when they end', async () => {
    let bytes = 0;
    const found: SseEvent[] = [];
    await readEvents(response([': hi\n\n', 'data: ä', '\n\n']), { onBytes: () => bytes++, onEvents: (e) => found.push(...e) });
    expect(bytes).toBe(3);
    expect(found.map((e) => e.data)).toEqual(['ä']);
  });
  it('rejects when the stream breaks', async () => {
    const reading = readEvents(response(['data: a\n\n', new Error('cut')]), { onBytes: () => undefined, onEvents: () => undefined });
    await expect(reading).rejects.toThrow('cut');
  });
});
