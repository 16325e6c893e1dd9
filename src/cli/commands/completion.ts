import { Argument, type Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'

export function register(program: Command, context: CliContext): void {
  const command = program
    .command('completion')
    .description('print a completion script for bash, zsh or fish')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const { completionScript } = await import('../completion/completion-script.js')
      const { commandTree } = await import('../completion/command-tree.js')
      context.out.write(completionScript(shell, await commandTree(context)))
    })
  examples(command, [
    ['source <(millrace completion bash)', 'in this bash'],
    ['millrace completion zsh > ~/.zfunc/_millrace', 'for every zsh with that folder in fpath'],
    ['millrace completion fish > ~/.config/fish/completions/millrace.fish', 'for every fish'],
  ])
}
