// Which page an address means, and who sees it: set-up and sign-in without a session, all else with one.
import { useEffect } from 'preact/hooks';
import { Redirect, Route, Switch, useLocation } from 'wouter-preact';
import { lazy, Suspense } from 'preact/compat';
import { Frame } from './frame';
import { DevicesPage } from './pages/devices/devices-page';
import { SignInPage } from './pages/sign-in';
import { startLive } from './state/live';
import { useSession } from './state/session';
import { ProblemView, Waiting } from './ui/states';

const DevicePage = lazy(() => import('./pages/device/device-page'));
const AddPage = lazy(() => import('./pages/add/add-page'));
const SetupPage = lazy(() => import('./pages/setup'));
const SitesPage = lazy(() => import('./pages/sites'));
const AuditPage = lazy(() => import('./pages/audit'));

function NotFound() {
  return (
    <div class="page">
      <h1>No such page</h1>
      <p>
        The address is not one of the console. <a href="/devices">Devices</a>
      </p>
    </div>
  );
}

function Pages() {
  return (
    <Suspense fallback={<Waiting />}>
      <Switch>
        <Route path="/">
          <Redirect to="/devices" replace />
        </Route>
        <Route path="/devices" component={DevicesPage} />
        <Route path="/devices/:id/:tab?">{(params) => <DevicePage key={params.id} id={params.id} tab={params.tab ?? 'overview'} />}</Route>
        <Route path="/add/:claim?">{(params) => <AddPage claimId={params.claim ?? null} />}</Route>
        <Route path="/sites" component={SitesPage} />
        <Route path="/audit" component={AuditPage} />
        <Route component={NotFound} />
      </Switch>
    </Suspense>
  );
}

function SignedIn() {
  useEffect(() => startLive(), []);
  return (
    <Frame>
      <Pages />
    </Frame>
  );
}

export function App() {
  const session = useSession();
  const [path] = useLocation();
  if (path === '/setup') {
    return (
      <Suspense fallback={<Waiting />}>
        <SetupPage />
      </Suspense>
    );
  }
  if (session.isPending) return <Waiting />;
  if (session.data === undefined) {
    return (
      <main class="gate">
        <h1>Holdfast</h1>
        <ProblemView error={session.error} retry={() => void session.refetch()} />
      </main>
    );
  }
  return session.data ? <SignedIn key={session.data.actor.id} /> : <SignInPage />;
}
