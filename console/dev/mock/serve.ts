// Serves console/dist with the mock behind it, under the very headers that the real server sends: the
// policy of the tests is the policy of the product.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { handle, type Seen } from './http.ts';
import { MockState, type MockOptions } from './state.ts';

export const kPolicy =
  "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'; " +
  "require-trusted-types-for 'script'; trusted-types 'none'";

const kTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

const dist = fileURLToPath(new URL('../../dist', import.meta.url));

async function serveFile(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
  const file = path.startsWith('/assets/') ? path : '/index.html';
  try {
    const bytes = await readFile(join(dist, file));
    response.writeHead(200, {
      'Content-Type': kTypes[extname(file)] ?? 'application/octet-stream',
      'Content-Security-Policy': kPolicy,
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': file === '/index.html' ? 'no-cache' : 'public, max-age=31536000, immutable',
    });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

export interface MockServer {
  url: string;
  state: MockState;
  seen: Seen[];
  close(): Promise<void>;
}

/** On a free port of the loopback. */
export async function serveMock(options: Partial<MockOptions> = {}, port = 0): Promise<MockServer> {
  const state = new MockState(options);
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    handle(state, request, response, (s) => seen.push(s))
      .then((taken) => (taken ? undefined : serveFile(request, response)))
      .catch((error: unknown) => {
        console.error('mock:', error);
        response.writeHead(500).end();
      });
  });
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    state,
    seen,
    close: async () => {
      state.close();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
