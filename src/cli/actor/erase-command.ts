import { eraseDecidedCommands, erasePersonal, subjectOfAggregate } from '../../actor/erase-personal.js'
import { subjectToken } from '../../actor/personal-key.js'
import type { Connection } from '../../broker/connection.js'
import { fault } from '../../error/millrace-error.js'
import type { DeployedActor } from '../../runtime/context-actors.js'
import { actorNamed } from '../../runtime/deployment.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { counted } from '../table.js'

export interface EraseFlags {
  readonly subject?: string
  readonly yes?: boolean
}

interface Target {
  readonly subject: string
  readonly what: string
  readonly aggregate: (DeployedActor & { readonly id: string }) | undefined
}

/**
 * Erases what is personal of a subject, or of the one that an aggregate is about.
 * @throws USAGE, DECLARATION_UNKNOWN, AGGREGATE_NOT_FOUND, PERSONAL_SUBJECT_UNKNOWN; errors of the broker
 */
export async function eraseCommand(
  context: CliContext,
  type: string | undefined,
  id: string | undefined,
  flags: EraseFlags,
): Promise<void> {
  const { clock, signal, out, err, json } = context
  if ((flags.subject === undefined) === (id === undefined))
    throw fault('USAGE', 'name an actor and an id, or a --subject, not both')
  const deployment = await context.deployment({ rules: false })
  const owners = deployment.actors.filter(({ actor }) => actor.personal !== undefined)
  const named = type === undefined ? undefined : actorNamed(deployment, type)
  if (owners.length === 0 || (named !== undefined && named.actor.personal === undefined))
    throw fault('USAGE', `${type ?? 'no actor'} declares ${type === undefined ? 'anything' : 'nothing'} to be personal`)
  const connection = await orStopped(context.connect(), signal)
  const target = await orStopped(targetOf(connection, flags, named, id), signal)
  if (flags.yes !== true) {
    err.line(`would erase what is personal of ${target.what}, wherever it is stored; nobody can bring it back`)
    throw fault('USAGE', 'nothing was erased: say --yes')
  }
  const streams = [...new Map(owners.map(({ stream }) => [stream.name, stream])).values()]
  const erased = await erasePersonal(connection, target.subject, streams, clock)
  if (erased === undefined) throw fault('PERSONAL_SUBJECT_UNKNOWN', target.what)
  const commands = target.aggregate === undefined ? 0 : await eraseDecidedCommands(connection, target.aggregate, clock)
  if (json) return printJson(context, { subject: target.subject, keys: erased.keys, commands })
  out.line(`erased what is personal of ${target.what}: ${counted(erased.keys.length, 'key')}`)
  if (target.aggregate !== undefined) err.line(`${counted(commands, 'command')} that had led to it, erased too`)
  err.line('what waits in a stream of commands has its values in the clear until it is decided and expires')
}

async function targetOf(
  connection: Connection,
  flags: EraseFlags,
  named: DeployedActor | undefined,
  id: string | undefined,
): Promise<Target> {
  if (flags.subject !== undefined) {
    const what = `subject ${JSON.stringify(flags.subject)}`
    return { subject: subjectToken(flags.subject), what, aggregate: undefined }
  }
  if (named === undefined || id === undefined) throw fault('USAGE', 'name an actor and an id')
  const what = `${named.actor.name} ${JSON.stringify(id)}`
  const subject = await subjectOfAggregate(connection, { ...named, id })
  if (subject === undefined) throw fault('AGGREGATE_NOT_FOUND', `${what}, or nothing personal of it is stored`)
  return { subject, what, aggregate: { ...named, id } }
}
