import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream'
import type { SourceDeclaration, StreamDeclaration } from './define-stream.js'
import { PARTITIONS_NOTE, sourceConfig, type SourceConfig } from './stream-sources.js'
import {
  ADVISORY_STREAM,
  ADVISORY_SUBJECTS,
  DEAD_LETTER_STREAM,
  DEAD_LETTER_SUBJECTS,
  redriveSubjects,
  systemSubjects,
} from './system-subject.js'

/** The settings of a stream that Millrace manages; others that an operator set are left alone. */
export type ManagedConfig = Pick<
  StreamConfig,
  | 'name'
  | 'description'
  | 'subjects'
  | 'retention'
  | 'storage'
  | 'num_replicas'
  | 'max_age'
  | 'max_bytes'
  | 'discard'
  | 'duplicate_window'
  | 'allow_direct'
  | 'allow_rollup_hdrs'
  | 'deny_delete'
> &
  ReliedFlags & {
    subject_transform?: { src: string; dest: string }
    sources?: SourceConfig[]
    /** Ours only; an operator’s stays. */
    metadata?: Record<string, string>
  }

/** Settings that old servers drop without a word; checked in what the server echoes. */
export interface ReliedFlags {
  allow_atomic?: boolean
  allow_msg_ttl?: boolean
  allow_msg_schedules?: boolean
  allow_msg_counter?: boolean
}

export const RELIED_FLAGS = [
  'allow_atomic',
  'allow_msg_ttl',
  'allow_msg_schedules',
  'allow_msg_counter',
  'allow_direct',
] as const

const NS = 1_000_000

/** The JetStream configuration of a declared stream. */
export function streamConfig(stream: StreamDeclaration): ManagedConfig {
  const { name, root, partitions, sources } = stream
  if (sources !== undefined) return mergeConfig(stream, sources)
  if (stream.work === true) return workConfig(stream)
  if (stream.captures !== undefined) return captureConfig(stream, stream.captures)
  return {
    name,
    description: stream.description,
    // two tokens at least after the root: a message that could not be given a partition is refused, not lost from view
    subjects: [`${root}.*.>`, systemSubjects(name)],
    subject_transform: { src: `${root}.*.>`, dest: `${root}.{{partition(${partitions},1)}}.>` },
    retention: RetentionPolicy.Limits,
    storage: stream.storage === 'memory' ? StorageType.Memory : StorageType.File,
    num_replicas: stream.replicas,
    max_age: stream.maxAge * NS,
    max_bytes: stream.maxBytes,
    discard: DiscardPolicy.Old,
    duplicate_window: stream.duplicateWindow * NS,
    allow_direct: true,
    allow_rollup_hdrs: true,
    deny_delete: false,
    allow_atomic: true,
    allow_msg_ttl: true,
    allow_msg_schedules: true,
  }
}

/**
 * The configuration of a stream that the server fills from others. It takes what they have as it is: no rollup and no
 * lifetime that the header of a message asks for, no ids to tell apart.
 */
function mergeConfig(stream: StreamDeclaration, sources: readonly SourceDeclaration[]): ManagedConfig {
  return {
    name: stream.name,
    description: stream.description,
    // nobody publishes events to it; those of its pipeline’s parked keys come back to it
    subjects: [redriveSubjects(stream.name)],
    sources: sources.map(sourceConfig),
    metadata: { [PARTITIONS_NOTE]: String(stream.partitions) },
    retention: RetentionPolicy.Limits,
    storage: stream.storage === 'memory' ? StorageType.Memory : StorageType.File,
    num_replicas: stream.replicas,
    max_age: stream.maxAge * NS,
    max_bytes: stream.maxBytes,
    discard: DiscardPolicy.Old,
    duplicate_window: stream.duplicateWindow * NS,
    allow_direct: true,
    allow_rollup_hdrs: false,
    deny_delete: false,
  }
}

/** The configuration of a stream of what others publish: no header of theirs does anything but tell a message from others. */
function captureConfig(stream: StreamDeclaration, subjects: readonly string[]): ManagedConfig {
  return {
    name: stream.name,
    description: stream.description,
    subjects: [...subjects],
    retention: RetentionPolicy.Limits,
    storage: stream.storage === 'memory' ? StorageType.Memory : StorageType.File,
    num_replicas: stream.replicas,
    max_age: stream.maxAge * NS,
    max_bytes: stream.maxBytes,
    discard: DiscardPolicy.Old,
    duplicate_window: stream.duplicateWindow * NS,
    allow_direct: true,
    allow_rollup_hdrs: false,
    deny_delete: false,
  }
}

/** The configuration of a stream of work: what is done is gone; what is due later is a schedule. */
function workConfig(stream: StreamDeclaration): ManagedConfig {
  return {
    name: stream.name,
    description: stream.description,
    subjects: [systemSubjects(stream.name)],
    retention: RetentionPolicy.Workqueue,
    storage: stream.storage === 'memory' ? StorageType.Memory : StorageType.File,
    num_replicas: stream.replicas,
    max_age: 0,
    // without a limit nothing gives way to anything; the server has no schedules where new ones are refused
    max_bytes: -1,
    discard: DiscardPolicy.Old,
    duplicate_window: stream.duplicateWindow * NS,
    allow_direct: true,
    allow_rollup_hdrs: true,
    deny_delete: false,
    allow_atomic: true,
    allow_msg_ttl: true,
    allow_msg_schedules: true,
  }
}

/** The stream of dead letters: refuses new ones when full rather than forget old ones (so no schedules in it). */
export function deadLetterConfig(replicas: number): ManagedConfig {
  return {
    name: DEAD_LETTER_STREAM,
    description: 'Messages that could not be processed, each with its reason',
    subjects: [DEAD_LETTER_SUBJECTS],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: replicas,
    max_age: 0,
    max_bytes: -1,
    discard: DiscardPolicy.New,
    duplicate_window: 120_000 * NS,
    allow_direct: true,
    allow_rollup_hdrs: true,
    deny_delete: false,
    allow_atomic: true,
    allow_msg_ttl: true,
  }
}

const DAY_MS = 24 * 60 * 60 * 1_000

/** The stream of what the server says of messages that it gave up on: for a week, and no more than a few hundred thousand. */
export function advisoryConfig(replicas: number): ManagedConfig {
  return {
    name: ADVISORY_STREAM,
    description: 'Messages that the server gave up on, until handlers have made dead letters of them',
    subjects: [...ADVISORY_SUBJECTS],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: replicas,
    max_age: 7 * DAY_MS * NS,
    max_bytes: 128 * 1024 * 1024,
    discard: DiscardPolicy.Old,
    duplicate_window: 120_000 * NS,
    allow_direct: true,
    allow_rollup_hdrs: false,
    deny_delete: false,
    allow_atomic: false,
    allow_msg_ttl: false,
  }
}
