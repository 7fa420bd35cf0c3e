"""`make chaos`: real calls while every part of waihu is killed at random. The carrier's log is the judge."""
