import { hostname, userInfo } from 'node:os'
import type { Rule } from '../../../cep/rule/rule.js'
import { fault, type Issue } from '../../../error/millrace-error.js'
import { readRule } from '../../../pipeline/rules/read-rule.js'
import type { StoredRule } from '../../../pipeline/rules/stored-rule.js'
import type { Deployment } from '../../../runtime/deployment.js'
import { RuleStore, type KnownRule } from '../../../runtime/rules/rule-store.js'
import type { Connection } from '../../../broker/connection.js'
import type { CliContext } from '../../context.js'

/** What commands about deployed rules work with. */
export interface DeployedRules {
  readonly connection: Connection
  readonly deployment: Deployment
  readonly store: RuleStore
  /** Of the streams that the deployment declares. */
  readonly known: readonly KnownRule[]
}

/** A rule that is deployed. */
export type Deployed = KnownRule & { readonly now: StoredRule }

/** @throws what reading the declarations and connecting throw, and errors of the broker */
export async function deployedRules(context: CliContext): Promise<DeployedRules> {
  // a mistake in a file is no reason not to pause or roll back what runs
  const deployment = await context.deployment({ rules: false })
  const connection = await context.connect()
  const store = new RuleStore(connection, context.clock)
  const streams = new Set(deployment.streams.map(({ name }) => name))
  const known = (await store.read()).filter(({ on }) => streams.has(on))
  return { connection, deployment, store, known }
}

/** A rule by its name, or by `STREAM.RULE` where two streams have one of the name. @throws RULE_UNKNOWN */
export function deployedNamed({ known }: Pick<DeployedRules, 'known'>, given: string): Deployed {
  const there = known.filter((one): one is Deployed => one.now !== undefined)
  const found = there.filter(({ on, name }) => name === given || `${on}.${name}` === given)
  const [first, second] = found
  if (first !== undefined && second === undefined) return first
  const names = second === undefined ? there.map(({ name }) => name) : found.map(({ on, name }) => `${on}.${name}`)
  throw fault('RULE_UNKNOWN', `${JSON.stringify(given)}; there are: ${names.join(', ') || 'none'}`)
}

/** The text of a deployed rule as this deployment reads it. @throws RULE_INVALID when its contracts do not fit any more */
export function readDeployed({ registry }: Deployment, name: string, { text, revision }: StoredRule): Rule {
  const read = readRule(name, text, registry)
  if (read.kind === 'rule') return read.rule
  const issue: Issue = { detail: read.problem }
  throw fault('RULE_INVALID', `${name}, revision ${revision}`, { issues: [issue] })
}

/** Who changes a rule. */
export function whoami(): string {
  return `${userInfo().username}@${hostname()}`
}
