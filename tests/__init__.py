"""What holds, shown; a folder here for each folder of flownb."""
