/** A nats-server release, as `nats-server -v` prints it. */
export interface ServerVersion {
  readonly major: number
  readonly minor: number
  readonly patch: number
  /** As printed, without the leading `v`: `2.15.1`, `2.14.2-RC.1`. */
  readonly text: string
}

/**
 * The oldest server that Millrace runs on. An older one accepts atomic batches and message schedules in a stream's
 * configuration and silently ignores them, so this is a question of correctness.
 */
export const MINIMUM_SERVER: ServerVersion = { major: 2, minor: 14, patch: 0, text: '2.14.0' }

const PRINTED = /\bv?(\d+)\.(\d+)\.(\d+)((?:-[\w.]+)?)\b/

/** Reads the version from the output of `nats-server -v`, or from a bare version; `undefined` if there is none. */
export function parseServerVersion(output: string): ServerVersion | undefined {
  const match = PRINTED.exec(output)
  if (match === null) return undefined
  const [, major = '', minor = '', patch = '', pre = ''] = match
  return {
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
    text: `${major}.${minor}.${patch}${pre}`,
  }
}

/** Negative when `a` is older than `b`; pre-release suffixes are not compared. */
export function compareServerVersions(a: ServerVersion, b: ServerVersion): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch
}

/** True for a release that has everything Millrace relies on. */
export function isSupportedServer(version: ServerVersion): boolean {
  return compareServerVersions(version, MINIMUM_SERVER) >= 0
}
