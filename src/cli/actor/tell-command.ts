import { randomUUID } from 'node:crypto'
import { CommandSender } from '../../actor/command-sender.js'
import { tell } from '../../actor/tell.js'
import { actorHome } from '../../runtime/actor-homes.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { ExistingStreams } from '../publish/targets.js'
import { commandDraft, interruptedSend, type Named, type SendFlags } from './command-draft.js'

/**
 * Stores a command, and says where.
 * @throws what commandDraft and tell throw, and STREAM_NOT_FOUND
 */
export async function tellCommand(context: CliContext, named: Named, flags: SendFlags): Promise<void> {
  const { deployed, draft, id } = await commandDraft(context, named, flags)
  const connection = await context.connect()
  const stream = deployed.commands.name
  await new ExistingStreams(connection).require(stream)
  const { clock, signal } = context
  const sender = new CommandSender({ connection, clock, newId: randomUUID })
  context.atEnd(() => sender.close())
  const { commandId, sequence, duplicate } = await tell(sender, actorHome(deployed), draft, { signal, id }).catch(
    (error: unknown) => {
      throw interruptedSend(context, named, id, error)
    },
  )
  const { type } = draft
  if (context.json)
    return printJson(context, { actor: named.type, id: named.id, type, commandId, stream, sequence, duplicate })
  const stored = duplicate ? 'was told before' : 'told'
  context.out.line(`${type} of ${named.type} ${named.id} ${stored}: ${stream} ${sequence}, id ${commandId}`)
}
