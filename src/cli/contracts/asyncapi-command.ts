import { asyncapiDocument } from '../../runtime/asyncapi/asyncapi-document.js'
import type { CliContext } from '../context.js'
import { writeWhole } from './record-file.js'

export interface AsyncapiFlags {
  readonly output?: string
  readonly yaml?: boolean
  readonly title?: string
  readonly apiVersion: string
}

/** Writes the AsyncAPI document of a deployment to a file or stdout. @throws OUTPUT_UNWRITABLE, those of the declarations */
export async function asyncapiCommand(context: CliContext, flags: AsyncapiFlags): Promise<void> {
  const deployment = await context.deployment()
  const document = asyncapiDocument(deployment, { title: flags.title ?? 'Millrace', version: flags.apiVersion })
  const text = flags.yaml === true ? await yamlOf(document) : `${JSON.stringify(document, undefined, 2)}\n`
  if (flags.output === undefined) return context.out.write(text)
  await writeWhole(flags.output, text)
  context.err.line(`wrote ${flags.output}`)
}

async function yamlOf(document: object): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })
}
