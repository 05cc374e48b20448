// Files that the executable embeds: the import gives the path to read them at (in the executable: below /$bunfs).

declare module "*.o" {
  const path: string;
  export default path;
}

declare module "*.so" {
  const path: string;
  export default path;
}
