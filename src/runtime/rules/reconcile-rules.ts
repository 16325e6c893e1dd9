import type { Connection } from '../../broker/connection.js'
import { isFault } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { Deployment } from '../deployment.js'
import { driftText, planRules, type DeclaredRule } from './plan-rules.js'
import { RuleStore, type KnownRule } from './rule-store.js'

export interface ReconcileOptions {
  readonly connection: Connection
  readonly deployment: Deployment
  readonly clock: Clock
  readonly log: Log
  /** Who does it. */
  readonly owner: string
  /** Whether rules whose files are no more are removed; else that is reported. */
  readonly removes?: boolean | undefined
}

const ATTEMPTS = 5

/**
 * Takes the rules of files over into the bucket, and says where they differ from it.
 * @returns what the bucket has then
 * @throws RULE_CHANGED_MEANWHILE when others keep changing the rules, and errors of the broker
 */
export async function reconcileRules(options: ReconcileOptions): Promise<readonly KnownRule[]> {
  const { connection, deployment, clock } = options
  const store = new RuleStore(connection, clock)
  await store.ensure(Math.max(1, ...deployment.streams.map(({ replicas }) => replicas)))
  for (let attempt = 1; ; attempt++)
    try {
      return await reconcileOnce(store, options)
    } catch (error) {
      // another process takes its files over at the same moment
      if (!isFault(error, 'RULE_CHANGED_MEANWHILE') || attempt === ATTEMPTS) throw error
    }
}

async function reconcileOnce(
  store: RuleStore,
  { deployment, clock, log, owner, removes = false }: ReconcileOptions,
): Promise<readonly KnownRule[]> {
  const declared = declaredRules(deployment)
  const streams = new Set(deployment.streams.map(({ name }) => name))
  const { puts, drift } = planRules(declared, await store.read(), { streams, by: owner, at: clock.now() })
  for (const { name, rule, expected, isNew } of puts) {
    await store.put(name, rule, expected)
    if (isNew) log.info({ rule: name, revision: rule.revision, by: owner }, 'rule taken over from its file')
  }
  for (const one of drift) {
    if (one.kind === 'no-file' && removes) {
      await store.remove(one.known)
      log.info({ rule: one.rule }, 'rule removed: its file is no more')
      continue
    }
    const advice = adviceFor(one.kind, one.rule)
    log.warn({ rule: one.rule, drift: one.kind, advice }, `rule differs from its file: ${driftText(one)}`)
  }
  return store.read()
}

/** Rules that have a text; the others are a part of the code. */
export function declaredRules({ rules }: Pick<Deployment, 'rules'>): DeclaredRule[] {
  return rules.flatMap(({ file, text, rule }) => (text === undefined ? [] : [{ file, text, rule }]))
}

function adviceFor(kind: 'other-text' | 'removed' | 'no-file', rule: string): string {
  if (kind === 'no-file') return `millrace rules remove ${rule}, or put its file back`
  return `millrace rules deploy the file, or change the file to what runs: millrace rules diff ${rule}`
}
