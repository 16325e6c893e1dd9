import { Option, type Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { duration, names, wholeNumber } from '../option-values.js'
import { GROUP } from '../pause/group.js'
import type { RemoveFlags } from '../streams/remove-command.js'
import type { RepartitionFlags } from '../streams/repartition-command.js'

export function register(program: Command, context: CliContext): void {
  const streams = program
    .command('streams')
    .description('compare the declared streams with the deployed ones, apply them, change their partitions')
  examples(streams, [
    ['millrace streams plan', 'what would change; exit code 5 if anything would'],
    ['millrace streams apply', 'create and update streams as declared'],
    ['millrace streams repartition PAYMENTS --to 8 --dry-run', 'what would another number of partitions come to?'],
  ])
  streams
    .command('plan')
    .description('show what apply would change; changes nothing; exit code 5 when something would change')
    .action(async () => {
      const { planCommand } = await import('../streams/plan-command.js')
      await planCommand(context)
    })
  streams
    .command('apply')
    .description('create and update the declared streams; changes nothing when one change is refused')
    .action(async () => {
      const { applyCommand } = await import('../streams/apply-command.js')
      await applyCommand(context)
    })
  streams
    .command('remove')
    .description('remove a stream that merged the inputs of a pipeline which is no more; streams plan shows them')
    .argument('<stream>', 'the stream, such as PIPELINE_velocity_INPUT')
    .option('--dry-run', 'say what would be removed, and change nothing')
    .action(async (stream: string, flags: RemoveFlags) => {
      const { removeCommand } = await import('../streams/remove-command.js')
      await removeCommand(context, stream, flags)
    })
    .addHelpText(
      'after',
      `
It holds copies; the streams that it was filled from stay as they are. A pipeline that reads the same inputs again needs
another name, since its positions were those of the stream that is removed.`,
    )
  registerRepartition(streams, context)
}

function registerRepartition(streams: Command, context: CliContext): void {
  const repartition = streams
    .command('repartition')
    .description('change the number of partitions of a stream while events are published, or finish such a change')
    .argument('<stream>', 'the stream, such as PAYMENTS')
    .requiredOption('--to <number>', 'how many partitions', wholeNumber())
    .option('--dry-run', 'say what it would come to, and change nothing')
    .option('--cut <processors>', 'end what these have in hand, in place of waiting or refusing; commas between', names)
    .addOption(
      new Option('--wait <duration>', 'how long to wait until processors have caught up and keys are idle')
        .argParser(duration)
        .default(300_000, '5m'),
    )
    .option('--group <name>', 'group of processes', GROUP)
    .action(async (stream: string, flags: RepartitionFlags) => {
      const { repartitionCommand } = await import('../streams/repartition-command.js')
      await repartitionCommand(context, stream, flags)
    })
  examples(repartition, [
    [
      'millrace streams repartition PAYMENTS --to 8 --dry-run',
      'what becomes of each processor, what speaks against it',
    ],
    ['millrace streams repartition PAYMENTS --to 8', 'do it, or go on with it'],
    ['millrace streams repartition PAYMENTS --to 8 --cut busy', 'end what the keys of pipeline busy have in hand'],
  ])
  repartition.addHelpText(
    'after',
    `
The processors that read the stream stand still for some seconds; publishing goes on. Run it where millrace run could
run: what is stored before the change and not handled yet, this command handles. Ended in the middle, it goes on when it
is run again; before the stream is changed, --to with the former number takes it back. See docs/operations.md.`,
  )
}
