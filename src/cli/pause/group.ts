/** The group of processes that `millrace run` and `millrace dev` are in. */
export const GROUP = 'millrace'
