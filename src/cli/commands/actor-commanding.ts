import type { Command } from 'commander'
import type { SendFlags } from '../actor/command-draft.js'
import type { CliContext } from '../context.js'
import { duration } from '../option-values.js'
import { GROUP } from '../pause/group.js'

/** Listing the actors, and commands for their aggregates. */
export function registerCommanding(actor: Command, context: CliContext): void {
  actor
    .command('list')
    .description('list the declared actors: what they take, how many aggregates there are, who runs them')
    .option('--group <name>', 'group of processes', GROUP)
    .action(async (flags: { group: string }) => {
      const { listCommand } = await import('../actor/list-command.js')
      await listCommand(context, flags)
    })
  addTell(actor, context)
  addRequest(actor, context)
}

function addTell(actor: Command, context: CliContext): void {
  sending(actor.command('tell'))
    .description('store a command for an aggregate; it is decided when its owner runs')
    .action(async (type: string, id: string, command: string, flags: SendFlags) => {
      const { tellCommand } = await import('../actor/tell-command.js')
      await tellCommand(context, { type, id, command }, flags)
    })
    .addHelpText('after', AGAIN)
}

function addRequest(actor: Command, context: CliContext): void {
  sending(actor.command('request'))
    .description('store a command for an aggregate, and wait for what becomes of it')
    .option('--wait <duration>', 'how long to wait for it (default: --timeout, else 30s)', duration)
    .action(async (type: string, id: string, command: string, flags: SendFlags & { wait?: number }) => {
      const { requestCommand } = await import('../actor/request-command.js')
      await requestCommand(context, { type, id, command }, flags)
    })
    .addHelpText(
      'after',
      `${AGAIN}

Exit codes: 0 accepted, 7 rejected by the aggregate, 1 it could not be decided (a dead letter, or parked), 8 not known in
time: the command is stored, and may have its effect yet.`,
    )
}

function sending(command: Command): Command {
  return command
    .argument('<type>', 'name of the actor, such as order')
    .argument('<id>', 'id of the aggregate')
    .argument('<command>', 'type of the command, such as order.place, or the end of it: place')
    .option('--data <json>', 'its data: JSON, @file, or @- for standard input')
    .option('--id <id>', 'id of the command: it has one effect, however often it is sent (default: a random one)')
    .option('--correlation-id <id>', 'the conversation that it belongs to')
    .option('--source <uri>', 'who says so')
}

const AGAIN = `
Sent again with the same --id, a command has no further effect.`
