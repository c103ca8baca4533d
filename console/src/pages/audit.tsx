// The audit: all entries, or the one that a timeline's link names.
import { Link, useSearch } from 'wouter-preact';
import { count } from '../lib/format';
import { useTitle } from '../ui/title';
import { AuditList } from './audit-list';

export default function AuditPage() {
  useTitle('Audit');
  const text = new URLSearchParams(useSearch()).get('seq');
  const seq = text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
  return (
    <div class="page">
      <header class="title">
        <h1>Audit</h1>
        {seq !== null ? (
          <>
            <span class="of">entry {count(seq)}</span>
            <Link href="/audit">all entries</Link>
          </>
        ) : null}
      </header>
      <AuditList object={null} seq={seq} empty={seq === null ? 'Nothing was changed yet.' : 'There is no such entry.'} />
    </div>
  );
}
