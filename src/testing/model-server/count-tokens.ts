/** Bytes of a token. A stand-in has no tokenizer; what counts is that the same text is always the same. */
const BYTES = 4

/** Tokens of a text, by its length. */
export function countText(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES)
}

/** Tokens of what a request says to the model; at least one. */
export function countInput(body: Readonly<Record<string, unknown>>): number {
  return Math.max(1, countText(inputText(body)))
}

/** All that the model reads, in the order in which it is cached. */
export function inputText(body: Readonly<Record<string, unknown>>): string {
  const said = ['tools', 'system', 'messages', 'output_config']
    .map((name) => body[name])
    .filter((one) => one !== undefined)
  return said.map((one) => JSON.stringify(one)).join('')
}
