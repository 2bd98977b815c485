// Command zvault is the whole of ZVault: the local vault, and later the server, in one binary.
package main

func main() {}
