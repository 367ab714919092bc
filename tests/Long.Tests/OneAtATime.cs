// Times, memory and the load of many processes are to be those of one test.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
