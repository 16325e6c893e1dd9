import { randomUUID } from 'node:crypto'
import { CommandSender } from '../../actor/command-sender.js'
import type { Outcome } from '../../actor/outcome.js'
import { request } from '../../actor/request.js'
import { EXIT } from '../../error/exit-code.js'
import { actorHome } from '../../runtime/actor-homes.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { ExistingStreams } from '../publish/targets.js'
import { counted } from '../table.js'
import { commandDraft, interruptedSend, type Named, type SendFlags } from './command-draft.js'

const EXITS: Readonly<Record<Outcome['kind'], number>> = {
  accepted: EXIT.ok,
  rejected: EXIT.rejected,
  failed: EXIT.failure,
}

/**
 * Stores a command, waits for what becomes of it and prints that; the exit code says it too.
 * @throws COMMAND_OUTCOME_UNKNOWN, what commandDraft and request throw, and STREAM_NOT_FOUND
 */
export async function requestCommand(
  context: CliContext,
  named: Named,
  flags: SendFlags & { readonly wait?: number },
): Promise<void> {
  const { deployed, draft, id } = await commandDraft(context, named, flags)
  const connection = await context.connect()
  await new ExistingStreams(connection).require(deployed.commands.name)
  const { clock, signal, options } = context
  const sender = new CommandSender({ connection, clock, newId: randomUUID })
  context.atEnd(() => sender.close())
  const wait = flags.wait ?? options.timeout
  const timeout = wait === undefined ? {} : { timeout: wait }
  const outcome = await request(sender, actorHome(deployed), draft, { signal, id, ...timeout }).catch(
    (error: unknown) => {
      throw interruptedSend(context, named, id, error)
    },
  )
  context.exitWith(EXITS[outcome.kind])
  if (context.json) return printJson(context, { actor: named.type, type: draft.type, ...outcome })
  print(context, `${draft.type} of ${named.type} ${named.id}`, outcome)
}

function print({ out, err }: CliContext, what: string, outcome: Outcome): void {
  switch (outcome.kind) {
    case 'accepted':
      out.line(
        `${what} ${out.style('green', 'accepted')}: ${counted(outcome.events.length, 'event')}, version ${outcome.version}`,
      )
      for (const { type, id } of outcome.events) out.line(`  ${type}  ${out.style('gray', id)}`)
      break
    case 'rejected':
      out.line(`${what} ${out.style('yellow', 'rejected')}: ${outcome.code}: ${outcome.message}`)
      if (outcome.data !== undefined) out.line(`  ${JSON.stringify(outcome.data)}`)
      break
    case 'failed':
      out.line(`${what} ${out.style('red', 'failed')}: ${outcome.code}: ${outcome.detail}`)
      break
  }
  err.line(`id ${outcome.commandId}`)
}
