import { randomUUID } from 'node:crypto'
import type { CommandDraft } from '../../actor/define-command.js'
import { fault, isFault } from '../../error/millrace-error.js'
import { nearestName } from '../../event/nearest-name.js'
import { actorNamed } from '../../runtime/deployment.js'
import type { DeployedActor } from '../../runtime/context-actors.js'
import type { CliContext } from '../context.js'
import { jsonArgument } from '../input/json-argument.js'

export interface SendFlags {
  /** JSON, `@file`, or `@-` for standard input. */
  readonly data?: string
  readonly id?: string
  readonly correlationId?: string
  readonly source?: string
}

/** What the command line names. */
export interface Named {
  /** The actor. */
  readonly type: string
  /** The aggregate. */
  readonly id: string
  readonly command: string
}

export interface DraftedCommand {
  readonly deployed: DeployedActor
  readonly draft: CommandDraft
  /** Of the command: that of the command line, else a new one. */
  readonly id: string
}

/**
 * The command that the command line asks for, checked against its contract. Data that is left out is `{}`.
 * @throws DECLARATION_UNKNOWN, USAGE, EVENT_DATA_INVALID with pointers, EVENT_ENVELOPE_INVALID
 */
export async function commandDraft(context: CliContext, named: Named, flags: SendFlags): Promise<DraftedCommand> {
  const deployed = actorNamed(await context.deployment({ rules: false }), named.type)
  const contract = contractNamed(deployed, named.command)
  const data = await jsonArgument(context, '--data', flags.data ?? '{}')
  const { correlationId, source } = flags
  const id = flags.id ?? randomUUID()
  const draft = contract(data, { id, correlationId, source })
  if (draft.key !== named.id)
    throw fault(
      'USAGE',
      `the data is for ${JSON.stringify(draft.key)}, the aggregate that is named is ${JSON.stringify(named.id)}`,
    )
  return { deployed, draft, id }
}

function contractNamed({ actor }: DeployedActor, name: string): (typeof actor.commands)[number] {
  const exact = actor.commands.find(({ type }) => type === name)
  const [first, second] = actor.commands.filter(({ type }) => type.endsWith(`.${name}`))
  if (exact !== undefined) return exact
  if (first !== undefined && second === undefined) return first
  const types = actor.commands.map(({ type }) => type)
  const near = nearestName(name, types)
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  throw fault(
    'DECLARATION_UNKNOWN',
    `command ${JSON.stringify(name)} of ${actor.name}${hint}; there are: ${types.join(', ')}`,
  )
}

/**
 * What was being sent when the command line was stopped may be stored by then, and would have a second effect under
 * another id.
 */
export function interruptedSend({ signal }: CliContext, { type }: Named, id: string, error: unknown): unknown {
  if (!signal.aborted || !isFault(error, 'INTERRUPTED')) return error
  return fault(
    'INTERRUPTED',
    `command ${id} for ${type} may be stored: run it again with --id ${id}, and it has one effect`,
  )
}
