import { render } from 'preact';
import { QueryClientProvider } from '@tanstack/preact-query';
import './styles/index.css';
import { App } from './app';
import { startClock } from './state/now';
import { queryClient } from './state/session';
import { applyTheme } from './state/settings';

applyTheme();
startClock();
const root = document.getElementById('app');
if (root) {
  render(
    <QueryClientProvider client={queryClient}>
      <App />
    </QueryClientProvider>,
    root,
  );
}
