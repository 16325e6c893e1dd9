import { Option, type Command } from 'commander'
import type { AsyncapiFlags } from '../contracts/asyncapi-command.js'
import type { CheckFlags } from '../contracts/check-command.js'
import type { RecordFlags } from '../contracts/record-command.js'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { names } from '../option-values.js'

export function register(program: Command, context: CliContext): void {
  const contracts = program
    .command('contracts')
    .description('record what events look like and find changes that break readers')
  examples(contracts, [
    ['millrace contracts record', 'write streams/*/contracts.lock.json, to be committed'],
    ['millrace contracts check', 'what the code would break; exit code 5 stops a build'],
    ['millrace contracts check --recording old.ndjson', 'and does it read these events?'],
    ['millrace contracts show order.placed', 'a contract, and what is recorded of it'],
    ['millrace contracts asyncapi --output asyncapi.yaml --yaml', 'streams, events and who reads them'],
  ])
  addRecord(contracts, context)
  addCheck(contracts, context)
  addShow(contracts, context)
  addAsyncapi(contracts, context)
  contracts.addHelpText(
    'after',
    `
backward (the default): new code reads what is stored. forward: code as recorded reads what new code writes. full: both.
A contract says its own with defineEvent(…, { compatibility }). Refinements are code, and are not compared.
Exit code 5 when something breaks or is not recorded.`,
  )
}

function addRecord(contracts: Command, context: CliContext): void {
  contracts
    .command('record')
    .description('write the contracts of streams/ to a file in each of its folders, to compare later code with')
    .option('--accept-breaks <types>', 'forget what these types were before: none of it is stored any more', names)
    .option('-n, --dry-run', 'say what would be written')
    .action(async (flags: RecordFlags) => {
      const { recordCommand } = await import('../contracts/record-command.js')
      await recordCommand(context, flags)
    })
}

function addCheck(contracts: Command, context: CliContext): void {
  contracts
    .command('check')
    .description('compare the contracts of streams/ with the recorded ones')
    .addOption(
      new Option('--mode <mode>', 'in place of what each contract says: who has to go on reading what').choices([
        'backward',
        'forward',
        'full',
        'none',
      ]),
    )
    .option('--recording <files>', 'recorded events (NDJSON) that have to be readable', names)
    .action(async (flags: CheckFlags) => {
      const { checkCommand } = await import('../contracts/check-command.js')
      await checkCommand(context, flags)
    })
}

function addShow(contracts: Command, context: CliContext): void {
  contracts
    .command('show')
    .description('the contracts, or one of them with its schema')
    .argument('[type]', 'an event or a command')
    .action(async (type: string | undefined) => {
      const { showCommand } = await import('../contracts/show-command.js')
      await showCommand(context, type)
    })
}

function addAsyncapi(contracts: Command, context: CliContext): void {
  contracts
    .command('asyncapi')
    .description('describe streams, events, commands and who reads and makes them, as an AsyncAPI 3.1 document')
    .option('--output <file>', 'where to (default: stdout)')
    .option('--yaml', 'YAML in place of JSON')
    .option('--title <text>', 'title of the document')
    .option('--api-version <version>', 'version of the document', '1.0.0')
    .action(async (flags: AsyncapiFlags) => {
      const { asyncapiCommand } = await import('../contracts/asyncapi-command.js')
      await asyncapiCommand(context, flags)
    })
}
