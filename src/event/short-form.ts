import type { Registry } from './registry.js'

/** What stands in for attributes that a line leaves out. */
export interface LineDefaults {
  /** Made only when it is needed. */
  readonly id: () => string
  readonly source: string
  /** In ms since the Unix epoch. */
  readonly time: number
}

/** Attributes of the short form, by the names that people know from contracts. */
const SHORT: Readonly<Record<string, string>> = {
  key: 'partitionkey',
  version: 'dataversion',
  correlationId: 'correlationid',
  causationId: 'causationid',
}

/**
 * The members of a CloudEvents JSON object for one that may be in the short form, `{"type": …, "data": …}` with any other
 * attribute, `key` and `version` among them. Who writes it by hand writes what the contract asks for now; CloudEvents
 * without a version have 1.
 */
export function completeMembers(
  given: Readonly<Record<string, unknown>>,
  registry: Registry,
  defaults: LineDefaults,
): Readonly<Record<string, unknown>> {
  if ('specversion' in given) return given
  const members: Record<string, unknown> = { specversion: '1.0', source: defaults.source }
  for (const [name, value] of Object.entries(given)) members[SHORT[name] ?? name] = value
  members['id'] ??= defaults.id()
  const version = typeof given['type'] === 'string' ? registry.get(given['type'])?.version : undefined
  if (version !== undefined) members['dataversion'] ??= version
  return members
}
