import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'

export function register(program: Command, context: CliContext): void {
  const streams = program
    .command('streams')
    .description('compare the declared streams with the deployed ones, and apply them')
  examples(streams, [
    ['millrace streams plan', 'what would change; exit code 5 if anything would'],
    ['millrace streams apply', 'create and update streams as declared'],
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
}
