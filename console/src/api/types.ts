// Short names for the contract's shapes, so that pages need not spell out the generated paths.
import type { components } from '../generated/contract';

type Schemas = components['schemas'];

export type Device = Schemas['Device'];
export type DeviceState = Schemas['DeviceState'];
export type DeviceDelta = Schemas['DeviceDelta'];
export type DeviceList = Schemas['DeviceList'];
export type DeviceFacets = Schemas['DeviceFacets'];
export type Facet = Schemas['Facet'];
export type Presence = Schemas['Presence'];
export type Certificate = Schemas['Certificate'];
export type Site = Schemas['Site'];
export type DeviceType = Schemas['DeviceType'];
export type Session = Schemas['Session'];
export type Claim = Schemas['Claim'];
export type ClaimCreate = Schemas['ClaimCreate'];
export type ClaimCreated = Schemas['ClaimCreated'];
export type Metric = Schemas['Metric'];
export type Bucket = Schemas['Bucket'];
export type LiveReading = Schemas['LiveReading'];
export type Event = Schemas['Event'];
export type Severity = Schemas['Severity'];
export type TimelineItem = Schemas['TimelineItem'];
export type Lane = TimelineItem['lane'];
export type Twin = Schemas['Twin'];
export type TwinDiff = Schemas['TwinDiff'];
export type Command = Schemas['Command'];
export type CommandState = Schemas['CommandState'];
export type AuditEntry = Schemas['AuditEntry'];
export type AgentDownloads = Schemas['AgentDownloads'];
export type Problem = Schemas['Problem'];
export type Json = Schemas['Json'];
