/** Text without control characters: those in stored data must not reach a terminal. */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd')
}
