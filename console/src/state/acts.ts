// What can be done to devices, one at a time: each act, who it touches, and who it leaves alone and why.
// The server decides; the plan only says beforehand what it will say.
import { client, etag, intent, mergePatch, must } from '../api/client';
import type { Device } from '../api/types';
import { queryClient } from './session';
import { deviceKey } from './queries';

export interface Act {
  /** "Quarantine", as on the button. */
  verb: string;
  permission: string;
  /** Why this device is left alone; null: it is touched. */
  skip(device: Device): string | null;
  run(device: Device): Promise<Device>;
}

const path = (device: Device) => ({ path: { device_id: device.id } });

export function quarantineAct(reason: string): Act {
  return {
    verb: 'Quarantine',
    permission: 'device.quarantine',
    skip: (d) =>
      d.state === 'quarantined' ? 'is quarantined already' : d.state === 'decommissioned' ? 'is decommissioned' : null,
    run: (d) =>
      must(client.POST('/v1/devices/{device_id}/quarantine', { params: { ...path(d), header: intent() }, body: { reason } })),
  };
}

export function releaseAct(reason: string): Act {
  return {
    verb: 'Release',
    permission: 'device.quarantine',
    skip: (d) =>
      d.state !== 'quarantined'
        ? 'is not quarantined'
        : d.quarantine?.revoked
          ? 'has revoked certificates: it enrols again with a new code'
          : null,
    run: (d) =>
      must(
        client.POST('/v1/devices/{device_id}/release', {
          params: { ...path(d), header: intent() },
          body: reason === '' ? {} : { reason },
        }),
      ),
  };
}

export function revokeAct(reason: string): Act {
  return {
    verb: 'Revoke',
    permission: 'device.revoke',
    skip: (d) => (d.quarantine?.revoked ? 'is revoked already' : d.certificate === null ? 'has no certificate' : null),
    run: (d) =>
      must(client.POST('/v1/devices/{device_id}/revoke', { params: { ...path(d), header: intent() }, body: { reason } })),
  };
}

export function moveAct(site: { id: string; name: string } | null): Act {
  return {
    verb: 'Move',
    permission: 'device.write',
    skip: (d) => (d.site_id === (site?.id ?? null) ? 'is there already' : null),
    run: (d) => patchDevice(d.id, '*', { site_id: site?.id ?? null }),
  };
}

export function tagAct(key: string, value: string): Act {
  return {
    verb: 'Tag',
    permission: 'device.write',
    skip: (d) => (d.tags[key] === value ? 'has this tag already' : null),
    run: (d) =>
      must(
        client.PUT('/v1/devices/{device_id}/tags/{tag}', {
          params: { path: { device_id: d.id, tag: key } },
          body: { value },
        }),
      ),
  };
}

export function untagAct(key: string): Act {
  return {
    verb: 'Remove tag',
    permission: 'device.write',
    skip: (d) => (key in d.tags ? null : 'does not have this tag'),
    run: (d) =>
      must(client.DELETE('/v1/devices/{device_id}/tags/{tag}', { params: { path: { device_id: d.id, tag: key } } })),
  };
}

export interface DeviceChange {
  name?: string;
  site_id?: string | null;
  type_id?: string | null;
  tags?: Record<string, string>;
}

export function patchDevice(id: string, ifMatch: string, change: DeviceChange): Promise<Device> {
  return must(
    client.PATCH('/v1/devices/{device_id}', {
      params: { path: { device_id: id }, header: { 'If-Match': ifMatch } },
      headers: mergePatch,
      body: change,
    }),
  );
}

export function changeDevice(device: Device, change: DeviceChange): Promise<Device> {
  return patchDevice(device.id, etag(device.revision), change);
}

/** The new state is shown at once, without waiting for the stream. */
export function shown(device: Device): void {
  queryClient.setQueryData(deviceKey(device.id), device);
  for (const queryKey of [['devices'], ['timeline', device.id], ['audit']]) void queryClient.invalidateQueries({ queryKey });
}

export interface Outcome {
  done: Device[];
  failed: { device: Device; error: unknown }[];
}

/** Calls in flight at once: enough to be quick, few enough to leave the server to others. */
const kAtOnceMax = 4;

export async function runAll(act: Act, devices: Device[], onStep: (finished: number) => void): Promise<Outcome> {
  const outcome: Outcome = { done: [], failed: [] };
  const queue = [...devices];
  const worker = async () => {
    for (let device = queue.shift(); device; device = queue.shift()) {
      try {
        outcome.done.push(await act.run(device));
      } catch (error) {
        outcome.failed.push({ device, error });
      }
      onStep(outcome.done.length + outcome.failed.length);
    }
  };
  await Promise.all(Array.from({ length: kAtOnceMax }, worker));
  outcome.done.forEach(shown);
  return outcome;
}
