import type { Device } from '../../api/types';
import { AuditList } from '../audit-list';

/** What operators and the server changed on this device. */
export function AuditTab({ device }: { device: Device }) {
  return <AuditList object={device.id} seq={null} empty="Nothing was changed on this device yet." />;
}
