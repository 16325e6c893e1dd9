import { Option, type Command } from 'commander'
import { ON_CHANGE, type OnChange } from '../../cep/rule/rule.js'
import type { CliContext } from '../context.js'
import { duration, wholeNumber } from '../option-values.js'
import type { DeployFlags } from '../rules/live/deploy-command.js'
import type { ChangeFlags, RollbackFlags } from '../rules/live/change-command.js'

const RULE = 'its name, or STREAM.RULE'

/** The commands about rules that run. */
export function registerLiveRules(rules: Command, context: CliContext): void {
  registerShowing(rules, context)
  registerChanges(rules, context)
  rules
    .command('deploy')
    .description('deploy rules as new revisions, while events flow; a mistake in one of them changes nothing')
    .argument('<files...>', 'rule files')
    .addOption(onChange())
    .addOption(wait())
    .action(async (files: string[], flags: DeployFlags) => {
      const { deployCommand } = await import('../rules/live/deploy-command.js')
      await deployCommand(context, files, flags)
    })
  rules
    .command('rollback')
    .description('deploy an earlier revision again')
    .argument('<rule>', RULE)
    .option('--to-revision <number>', 'which (default: the one before)', wholeNumber())
    .addOption(onChange())
    .addOption(wait())
    .action(async (rule: string, flags: RollbackFlags) => {
      const { rollbackRule } = await import('../rules/live/change-command.js')
      await rollbackRule(context, rule, flags)
    })
}

function registerShowing(rules: Command, context: CliContext): void {
  rules
    .command('list')
    .description(
      'show every deployed rule: its revision, what runs, since which sequence, where it differs from its file',
    )
    .action(async () => {
      const { listCommand } = await import('../rules/live/list-command.js')
      await listCommand(context)
    })
  rules
    .command('show')
    .description('show the text of a deployed rule, and its revisions')
    .argument('<rule>', RULE)
    .option('--revision <number>', 'of this revision (default: the deployed one)', wholeNumber())
    .action(async (rule: string, flags: { readonly revision?: number }) => {
      const { showCommand } = await import('../rules/live/show-command.js')
      await showCommand(context, rule, flags)
    })
}

function registerChanges(rules: Command, context: CliContext): void {
  rules
    .command('pause')
    .description('have a rule see nothing until it is resumed; the others go on')
    .argument('<rule>', RULE)
    .addOption(wait())
    .action(async (rule: string, flags: ChangeFlags) => {
      const { pauseRule } = await import('../rules/live/change-command.js')
      await pauseRule(context, rule, flags)
    })
  rules
    .command('resume')
    .description('let a rule go on that is paused or broken, empty')
    .argument('<rule>', RULE)
    .option('--keep', 'with what it had begun when it was paused, though it has not seen what came meanwhile')
    .addOption(wait())
    .action(async (rule: string, flags: ChangeFlags & { readonly keep?: boolean }) => {
      const { resumeRule } = await import('../rules/live/change-command.js')
      await resumeRule(context, rule, flags)
    })
  rules
    .command('remove')
    .description('end a rule; its revisions are kept')
    .argument('<rule>', RULE)
    .addOption(wait())
    .action(async (rule: string, flags: ChangeFlags) => {
      const { removeRule } = await import('../rules/live/change-command.js')
      await removeRule(context, rule, flags)
    })
}

function onChange(): Option {
  const what = 'what becomes of what the revision before it has begun: cut drops it, keep goes on, drain lets it end'
  const asked: readonly OnChange[] = ON_CHANGE
  return new Option('--on-change <how>', what).choices([...asked])
}

function wait(): Option {
  return new Option('--wait <duration>', 'how long to wait until it has taken effect')
    .argParser((text) => (text === '0' ? 0 : duration(text)))
    .default(5_000, '5s')
}
