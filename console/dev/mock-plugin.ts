// Development only: `npm run dev` answers /v1 from the mock. Name anything, password: correct horse battery.
import type { Plugin } from 'vite';
import { handle } from './mock/http.ts';
import { MockState } from './mock/state.ts';

export function mockPlugin(): Plugin {
  return {
    name: 'holdfast-mock',
    apply: 'serve',
    configureServer(server) {
      // Vitest starts a server as well; it brings its own mock.
      if (process.env['VITEST']) return;
      const state = new MockState({ devices: Number(process.env['MOCK_DEVICES'] ?? 120), setupSecret: 'dev-secret' });
      server.httpServer?.on('close', () => state.close());
      server.middlewares.use((request, response, next) => {
        handle(state, request, response).then((taken) => taken || next(), next);
      });
    },
  };
}
